#include "load/measure/series.h"

#include <algorithm>

namespace securebase::load {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kCounter:
      return "counter";
    case Kind::kGauge:
      return "gauge";
    case Kind::kRate:
      return "rate";
    case Kind::kTrend:
      return "trend";
  }
  return "unknown";
}

Tags make_tags(Tags tags) {
  std::stable_sort(tags.begin(), tags.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // The later of two of one name counts.
  Tags unique;
  for (auto& tag : tags) {
    if (!unique.empty() && unique.back().first == tag.first) {
      unique.back() = std::move(tag);
    } else {
      unique.push_back(std::move(tag));
    }
  }
  return unique;
}

Series Catalogue::series(Kind kind, std::string_view metric, Tags tags) {
  Key key{std::string(metric), make_tags(std::move(tags))};
  const std::lock_guard lock(mutex_);
  auto found = indices_.find(key);
  if (found == indices_.end() && entries_.size() >= limit_ && !key.tags.empty()) {
    key.tags = {{"__other__", ""}};
    found = indices_.find(key);
  }
  if (found == indices_.end()) {
    found = indices_.emplace(key, static_cast<std::uint32_t>(entries_.size())).first;
    entries_.push_back({std::move(key), kind});
  }
  return {found->second, entries_[found->second].kind};
}

std::vector<Catalogue::Entry> Catalogue::entries() const { return entries_from(0); }

std::vector<Catalogue::Entry> Catalogue::entries_from(std::size_t first) const {
  const std::lock_guard lock(mutex_);
  if (first >= entries_.size()) return {};
  return {entries_.begin() + static_cast<std::ptrdiff_t>(first), entries_.end()};
}

}  // namespace securebase::load
