// How many different values there were: exact up to some thousands, then by HyperLogLog, 0.8 % off (one standard
// error).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "logs/insights/cell.h"
#include "logs/insights/flat_index.h"

namespace securebase::logs::insights {

class Distinct {
 public:
  void add(std::uint64_t hash);
  void merge(const Distinct& other);
  double count() const;
  std::size_t bytes() const { return hashes_.bytes() + registers_.capacity(); }

  // Numbers that are equal, and texts that spell them, have one hash.
  static std::uint64_t hash_of(const Cell& cell);

 private:
  static constexpr std::size_t kExact = 4096;
  static constexpr int kBits = 14;

  void note(std::uint64_t hash);

  FlatIndex hashes_;
  std::vector<std::uint8_t> registers_;  // empty: still exact
};

}  // namespace securebase::logs::insights
