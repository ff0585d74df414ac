#include "k6/shared.h"

namespace securebase::k6 {

std::optional<std::size_t> SharedArrays::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = ids_.find(name);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t SharedArrays::put(std::string_view name, std::vector<std::string> elements) {
  const std::lock_guard lock(mutex_);
  if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
  arrays_.push_back(std::move(elements));
  return ids_[std::string(name)] = arrays_.size() - 1;
}

std::size_t SharedArrays::length(std::size_t array) const {
  const std::lock_guard lock(mutex_);
  return array < arrays_.size() ? arrays_[array].size() : 0;
}

const std::string* SharedArrays::element(std::size_t array, std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return array < arrays_.size() && index < arrays_[array].size() ? &arrays_[array][index] : nullptr;
}

}  // namespace securebase::k6
