// Every series there is, in shards by metric: what is asked for a metric, and where its newest samples are. A series is
// a metric with one unit; its number is what logs and segments know it by.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "monitoring/metrics/head.h"
#include "monitoring/metrics/metric_key.h"
#include "monitoring/metrics/segment.h"

namespace securebase::monitoring {

// Guarded by its shard's lock, but for what is const.
struct StoredSeries {
  const SeriesId id;
  const UnitNumber unit;
  bool pinned = false;                 // somebody keeps a reference: never forgotten
  std::int64_t newest_us = INT64_MIN;  // of a sample, since 1970
  std::unique_ptr<Head> fine;          // made at the first sample of that resolution
  std::unique_ptr<Head> standard;
};

struct StoredMetric {
  const std::string key;                              // metric_key()
  std::vector<std::unique_ptr<StoredSeries>> series;  // by unit, as they came
};

// A metric_key(), which outlives it, and its hash: computed once for shard and table.
struct HashedKey {
  HashedKey(std::string_view key)
      : text(key), hash(std::hash<std::string_view>{}(key)) {}             // NOLINT: implicit by design
  HashedKey(const std::string& key) : HashedKey(std::string_view(key)) {}  // NOLINT
  std::string_view text;
  std::size_t hash;
  bool operator==(const HashedKey& other) const { return hash == other.hash && text == other.text; }
  struct Hash {
    std::size_t operator()(const HashedKey& key) const { return key.hash; }
  };
};

struct Shard {
  std::mutex mutex;
  std::unordered_map<HashedKey, std::unique_ptr<StoredMetric>, HashedKey::Hash> metrics;  // keys are the metrics' own
  std::vector<std::pair<StoredSeries*, bool>> pending;  // heads to commit; true: the fine one
  std::string log;                                      // committed since the last tick
  std::size_t head_bytes = 0;
};

// What add() and the collector keep instead of looking a metric up again.
struct SeriesRef {
  Shard* shard = nullptr;
  StoredSeries* series = nullptr;
};

class Catalog {
 public:
  static constexpr std::size_t kShards = 16;

  explicit Catalog(std::size_t series_limit) : series_limit_(series_limit) {}

  Shard& shard_of(const HashedKey& key);
  std::array<Shard, kShards>& shards() { return shards_; }

  // For messages: searches its shard. "" when it is in none.
  std::string key_of(const SeriesRef& series);
  // Under the lock of the key's shard. null: no such metric.
  static StoredMetric* find(Shard& shard, const HashedKey& key);
  // Under the lock of the key's shard. The same series for the same metric and unit; null: at the limit.
  StoredSeries* find_or_make(Shard& shard, const HashedKey& key, UnitNumber unit);
  // At the start: one that the file knows.
  void restore(SeriesId id, std::string_view key, UnitNumber unit);

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  std::size_t series_limit() const { return series_limit_; }

  // What has to be written about series made since the last call, one payload for each.
  std::vector<std::string> take_new();
  // Everything, as payloads. `keep` decides on each series that has no head, is not pinned; others are forgotten.
  std::vector<std::string> prune(const std::function<bool(SeriesId)>& keep);
  // Calls restore() for a payload. false: it is none.
  bool restore(std::string_view payload);

 private:
  StoredSeries* make(Shard& shard, const HashedKey& key, UnitNumber unit, SeriesId id);

  const std::size_t series_limit_;
  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> size_{0};
  std::mutex new_mutex_;  // below a shard's
  SeriesId next_id_ = 1;
  std::vector<std::string> new_;
};

}  // namespace securebase::monitoring
