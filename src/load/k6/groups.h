// Groups and checks as the script meets them: a tree, with how often each check passed. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::k6 {

class Groups {
 public:
  static constexpr std::size_t kMost = 50'000;  // groups, and checks: a name made of an id makes a new one each time

  struct Check {
    std::string name;
    std::string path;
    std::atomic<std::uint64_t> passes{0};
    std::atomic<std::uint64_t> fails{0};
  };

  Groups();
  // By path: "" is the root, "::a::b" a group in a group. Numbers stay.
  Result<std::size_t> group(std::string_view path);
  Result<std::size_t> check(std::size_t group, std::string_view name);
  Check& check_at(std::size_t id);
  std::string path_of(std::size_t group) const;

  // root_group of handleSummary's data.
  base::Json summary() const;

 private:
  struct Group {
    std::string name;
    std::string path;
    std::vector<std::size_t> groups;
    std::vector<std::size_t> checks;
  };
  base::Json summary_of(const Group& group) const;

  mutable std::mutex mutex_;
  std::deque<Group> groups_;
  std::deque<Check> checks_;
  std::map<std::string, std::size_t, std::less<>> group_ids_;
  std::map<std::string, std::size_t, std::less<>> check_ids_;  // by path
};

}  // namespace securebase::k6
