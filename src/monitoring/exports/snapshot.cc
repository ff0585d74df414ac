#include "monitoring/exports/snapshot.h"

namespace securebase::monitoring::exports {

Snapshot Snapshots::take(base::TimePoint now) {
  Snapshot snapshot{begun_, now, registry_.series_after(0), {}, {}};
  const base::TimePoint minute = std::chrono::floor<std::chrono::minutes>(now);
  if (minute == minute_) return snapshot;
  minute_ = minute;
  auto newest = newest_minutes(registry_, store_, now, Percentiles::kSome);
  std::map<std::pair<MetricId, UnitNumber>, base::TimePoint> said;
  for (auto& one : newest.minutes) {
    std::pair key{one.metric, one.unit};
    const auto before = said_.find(key);
    const bool is_new = before == said_.end() || before->second < one.start;
    said.emplace(std::move(key), one.start);
    if (before != said_.end()) said_.erase(before);
    if (is_new) snapshot.put.push_back(std::move(one));
  }
  for (const auto& [key, start] : said_) snapshot.ended.push_back({key.first, key.second, start});
  said_ = std::move(said);
  return snapshot;
}

}  // namespace securebase::monitoring::exports
