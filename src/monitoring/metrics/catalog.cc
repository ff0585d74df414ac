#include "monitoring/metrics/catalog.h"

#include <algorithm>
#include <utility>

namespace securebase::monitoring {

namespace {

std::string payload_of(SeriesId id, UnitNumber unit, std::string_view key) {
  std::string payload;
  put_varint(payload, id);
  payload.push_back(static_cast<char>(unit));
  payload += key;
  return payload;
}

}  // namespace

// The upper bits: the table uses the lower ones.
Shard& Catalog::shard_of(const HashedKey& key) { return shards_[(key.hash >> 48) % kShards]; }

std::string Catalog::key_of(const SeriesRef& series) {
  const std::lock_guard lock(series.shard->mutex);
  for (const auto& [key, metric] : series.shard->metrics) {
    for (const auto& one : metric->series) {
      if (one.get() == series.series) return metric->key;
    }
  }
  return {};
}

StoredMetric* Catalog::find(Shard& shard, const HashedKey& key) {
  const auto found = shard.metrics.find(key);
  return found == shard.metrics.end() ? nullptr : found->second.get();
}

StoredSeries* Catalog::make(Shard& shard, const HashedKey& key, UnitNumber unit, SeriesId id) {
  StoredMetric* metric = find(shard, key);
  if (!metric) {
    auto made = std::make_unique<StoredMetric>(StoredMetric{std::string(key.text), {}});
    metric = made.get();
    shard.metrics.emplace(metric->key, std::move(made));
  }
  metric->series.push_back(std::unique_ptr<StoredSeries>(new StoredSeries{id, unit}));
  size_.fetch_add(1, std::memory_order_relaxed);
  return metric->series.back().get();
}

StoredSeries* Catalog::find_or_make(Shard& shard, const HashedKey& key, UnitNumber unit) {
  if (StoredMetric* metric = find(shard, key)) {
    for (const auto& series : metric->series) {
      if (series->unit == unit) return series.get();
    }
  }
  if (size() >= series_limit_) return nullptr;
  const std::lock_guard lock(new_mutex_);
  const SeriesId id = next_id_++;
  new_.push_back(payload_of(id, unit, key.text));
  return make(shard, key, unit, id);
}

void Catalog::restore(SeriesId id, std::string_view key, UnitNumber unit) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex, new_mutex_);
  next_id_ = std::max(next_id_, id + 1);
  const StoredMetric* metric = find(shard, key);
  const bool known =
      metric && std::ranges::any_of(metric->series, [unit](const auto& one) { return one->unit == unit; });
  if (!known) make(shard, key, unit, id);
}

bool Catalog::restore(std::string_view payload) {
  Cursor in(payload);
  const auto id = static_cast<SeriesId>(in.varint());
  const UnitNumber unit = in.byte();
  const std::string_view key = in.bytes(in.left());
  if (in.bad() || id == 0 || !metric_of(key)) return false;
  restore(id, key, unit);
  return true;
}

std::vector<std::string> Catalog::take_new() {
  const std::lock_guard lock(new_mutex_);
  return std::exchange(new_, {});
}

std::vector<std::string> Catalog::prune(const std::function<bool(SeriesId)>& keep) {
  std::vector<std::string> all;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (auto metric = shard.metrics.begin(); metric != shard.metrics.end();) {
      auto& series = metric->second->series;
      const auto removed = std::erase_if(series, [&](const auto& one) {
        const bool held = (one->fine && !one->fine->empty()) || (one->standard && !one->standard->empty());
        return !one->pinned && !held && !keep(one->id);
      });
      size_.fetch_sub(removed, std::memory_order_relaxed);
      for (const auto& one : series) all.push_back(payload_of(one->id, one->unit, metric->second->key));
      metric = series.empty() ? shard.metrics.erase(metric) : std::next(metric);
    }
  }
  return all;
}

}  // namespace securebase::monitoring
