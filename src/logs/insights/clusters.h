// Groups log lines by what they have in common: first what varies by its looks (everything with a digit in it) becomes
// <*>, then lines that differ in few words become one pattern. After Drain (He et al., 2017).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace securebase::logs::insights {

class Clusters {
 public:
  struct Limits {
    std::size_t clusters = 2000;       // beyond: all that is new is one, <*>
    std::size_t known_lines = 20'000;  // masked lines whose cluster is remembered
    std::size_t line_bytes = 2000;     // what stands behind is not looked at
  };
  struct Cluster {
    std::vector<std::string> words;
    std::uint64_t count = 0;
  };

  Clusters() = default;
  explicit Clusters(Limits limits) : limits_(limits) {}

  void add(std::string_view line);
  void merge(const Clusters& other);
  std::uint64_t total() const { return total_; }
  // Pattern and how many lines, the most frequent first.
  std::vector<std::pair<std::string, std::uint64_t>> patterns() const;
  std::size_t bytes() const { return bytes_ + known_bytes_; }

 private:
  std::size_t cluster_of(std::string_view masked);
  std::size_t fitting(std::vector<std::string> words);

  Limits limits_;
  std::vector<Cluster> clusters_;
  // By number of words and the first one: lines that differ there never become one.
  std::unordered_map<std::string, std::vector<std::size_t>> by_shape_;
  std::unordered_map<std::string, std::size_t> known_;
  std::string masked_;  // scratch
  std::uint64_t total_ = 0;
  std::size_t bytes_ = 0;
  std::size_t known_bytes_ = 0;
};

// "took 12 ms for user 7f3a" -> "took <*> ms for user <*>".
void mask_variables(std::string_view line, std::string& masked);

}  // namespace securebase::logs::insights
