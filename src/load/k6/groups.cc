#include "k6/groups.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::k6 {

Groups::Groups() {
  groups_.push_back({});
  group_ids_[""] = 0;
}

Result<std::size_t> Groups::group(std::string_view path) {
  const std::lock_guard lock(mutex_);
  if (const auto known = group_ids_.find(path); known != group_ids_.end()) return known->second;
  if (groups_.size() >= kMost) {
    return Error{Errc::kLimit, "the script has made more than 50000 groups: a group's name should not hold ids"};
  }
  const auto split = path.rfind("::");
  const auto parent = split == std::string_view::npos ? group_ids_.find("") : group_ids_.find(path.substr(0, split));
  if (split == std::string_view::npos || parent == group_ids_.end()) {
    return Error{Errc::kMalformed, fmt::format("'{}' is not the path of a group", path.substr(0, 100))};
  }
  const std::size_t id = groups_.size();
  groups_.push_back({std::string(path.substr(split + 2)), std::string(path), {}, {}});
  groups_[parent->second].groups.push_back(id);
  group_ids_[std::string(path)] = id;
  return id;
}

Result<std::size_t> Groups::check(std::size_t group, std::string_view name) {
  const std::lock_guard lock(mutex_);
  Group& owner = groups_.at(group);
  const std::string path = fmt::format("{}::{}", owner.path, name);
  if (const auto known = check_ids_.find(path); known != check_ids_.end()) return known->second;
  if (checks_.size() >= kMost) {
    return Error{Errc::kLimit, "the script has made more than 50000 checks: a check's name should not hold ids"};
  }
  const std::size_t id = checks_.size();
  Check& check = checks_.emplace_back();
  check.name = std::string(name);
  check.path = path;
  owner.checks.push_back(id);
  check_ids_[path] = id;
  return id;
}

Groups::Check& Groups::check_at(std::size_t id) {
  const std::lock_guard lock(mutex_);
  return checks_.at(id);
}

std::string Groups::path_of(std::size_t group) const {
  const std::lock_guard lock(mutex_);
  return groups_.at(group).path;
}

base::Json Groups::summary() const {
  const std::lock_guard lock(mutex_);
  return summary_of(groups_.front());
}

base::Json Groups::summary_of(const Group& group) const {
  base::Json groups = base::Json::array();
  for (const auto id : group.groups) groups.push_back(summary_of(groups_[id]));
  base::Json checks = base::Json::array();
  for (const auto id : group.checks) {
    const Check& check = checks_[id];
    checks.push_back(base::Json::object({{"name", check.name},
                                         {"path", check.path},
                                         {"id", base::hex(base::md5(check.path))},
                                         {"passes", check.passes.load()},
                                         {"fails", check.fails.load()}}));
  }
  return base::Json::object({{"name", group.name},
                             {"path", group.path},
                             {"id", base::hex(base::md5(group.path))},
                             {"groups", std::move(groups)},
                             {"checks", std::move(checks)}});
}

}  // namespace securebase::k6
