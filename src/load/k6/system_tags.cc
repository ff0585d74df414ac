#include "k6/system_tags.h"

#include <algorithm>

namespace securebase::k6 {

namespace {

std::size_t place_of(std::string_view name) {
  return static_cast<std::size_t>(std::find(SystemTags::kAll.begin(), SystemTags::kAll.end(), name) -
                                  SystemTags::kAll.begin());
}

}  // namespace

SystemTags::SystemTags() {
  for (std::size_t i = 0; i < kUsual; ++i) enabled_.set(i);
}

SystemTags::SystemTags(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (const auto place = place_of(name); place < kAll.size()) enabled_.set(place);
  }
}

bool SystemTags::shows(std::string_view name) const {
  const auto place = place_of(name);
  return place >= kAll.size() || enabled_[place];
}

bool SystemTags::has(std::string_view name) const {
  const auto place = place_of(name);
  return place < kAll.size() && enabled_[place];
}

std::vector<std::string_view> SystemTags::columns() const {
  std::vector<std::string_view> columns;
  for (const auto name : kAll) {
    if (has(name) && !is_metadata(name)) columns.push_back(name);
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

}  // namespace securebase::k6
