#include "monitoring/metrics/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace securebase::monitoring {

namespace {

constexpr std::string_view kRoom = "monitoring";
constexpr std::size_t kHeadRoom = 4;  // times head_bytes: then samples are refused
constexpr std::size_t kUnwrittenBytes = std::size_t{64} << 20;

const Head* head_of(const StoredSeries& series, Resolution resolution) {
  return (resolution == Resolution::kSecond ? series.fine : series.standard).get();
}

// A series' memory lies anywhere: it is fetched in steps, while those before it are added to.
void prefetch(const PutBatch& batch, std::span<const std::uint32_t> places, std::size_t at) {
  const auto series_at = [&](std::size_t ahead) -> const StoredSeries* {
    return at + ahead < places.size() ? batch.data[places[at + ahead]].series.series : nullptr;
  };
  __builtin_prefetch(series_at(12));
  if (const auto* series = series_at(8)) {
    const auto* head = reinterpret_cast<const char*>(head_of(*series, batch.data[places[at + 8]].resolution));
    for (std::size_t line = 0; line < sizeof(Head); line += 64) __builtin_prefetch(head + line);
  }
  if (const auto* series = series_at(4)) {
    if (const auto* head = head_of(*series, batch.data[places[at + 4]].resolution)) head->prefetch();
  }
}

std::int64_t microseconds(base::TimePoint time) { return time.time_since_epoch().count(); }

}  // namespace

Store::Store(Settings settings, const base::Clock& clock)
    : settings_(std::move(settings)), clock_(clock), catalog_(settings_.series_limit), flushed_at_(clock.steady()) {}

Result<std::unique_ptr<Store>> Store::open(Settings settings, const base::Clock& clock) {
  std::unique_ptr<Store> store(new Store(std::move(settings), clock));
  if (auto loaded = store->load(); !loaded) return loaded.error().within("opening the metrics store");
  if (store->settings_.threads) store->start_threads();
  return store;
}

Store::~Store() {
  {
    const std::lock_guard lock(threads_mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
  if (auto ticked = tick(); !ticked) base::log(base::Level::kError, kRoom, "{}", ticked.error().message);
}

void Store::start_threads() {
  const auto run_each = [this](std::chrono::milliseconds pause, Result<Done> (Store::*work)()) {
    std::unique_lock lock(threads_mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return stopping_.load(); })) {
      lock.unlock();
      if (auto done = (this->*work)(); !done) {
        failed_writes_.fetch_add(1, std::memory_order_relaxed);
        base::log(base::Level::kError, kRoom, "{}", done.error().message);
      }
      lock.lock();
    }
  };
  using namespace std::chrono_literals;
  // A little less than a second, so that with the write itself it is one.
  threads_.emplace_back([run_each] { run_each(900ms, &Store::tick); });
  threads_.emplace_back([run_each] { run_each(1000ms, &Store::maintain); });
}

// --- samples in -----------------------------------------------------------------------------------------------------

Error Store::out_of_window(std::string_view key, base::TimePoint time, base::TimePoint now) const {
  const auto metric = metric_of(key);
  return {Errc::kMalformed,
          fmt::format("the time {} of metric {} is not within two weeks before and two hours after now, {}",
                      base::iso8601(time), metric ? metric->name : "", base::iso8601(now))};
}

Error Store::refuse_new(std::size_t count) {
  refused_series_.fetch_add(count, std::memory_order_relaxed);
  return {Errc::kLimit, fmt::format("{} of the metrics are new, and the store holds {} of at most {}: use fewer "
                                    "combinations of dimensions, or raise the limit",
                                    count, catalog_.size(), settings_.series_limit)};
}

template <class KeyOf, class UnitOf>
Result<Done> Store::check_series_limit(std::size_t count, KeyOf key_of, UnitOf unit_of) {
  if (catalog_.size() + count <= settings_.series_limit) return Done{};  // there is room for all, known or not
  std::size_t missing = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const HashedKey key = key_of(i);
    Shard& shard = catalog_.shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto* metric = Catalog::find(shard, key);
    const bool known =
        metric && std::ranges::any_of(metric->series, [&](const auto& one) { return one->unit == unit_of(i); });
    if (!known) ++missing;
  }
  if (missing > 0 && catalog_.size() + missing > settings_.series_limit) return refuse_new(missing);
  return Done{};
}

template <class Fill>
void Store::add(Shard& shard, StoredSeries& series, Resolution resolution, base::TimePoint time, base::TimePoint now,
                const Telling& added, Fill fill) {
  // What is past the seconds' retention is kept by the minute at once.
  const bool fine = resolution == Resolution::kSecond && time >= now - kLevels[kFineLevel].retention;
  auto& head = fine ? series.fine : series.standard;
  if (!head) head = std::make_unique<Head>();
  // Two calls, so that each divides by a number that the compiler knows.
  const std::int64_t slot = fine ? slot_of(time, kLevels[kFineLevel]) : slot_of(time, kLevels[kStandardLevel]);
  const std::size_t before = head->bytes();
  if (head->must_commit(slot)) {
    put_varint(shard.log, std::uint64_t{series.id} << 1 | fine);
    put_slot(head->pending(), 0, shard.log, shard.log);
    head->commit();  // and stays on the list, for what is added now
  } else if (!head->has_pending()) {
    shard.pending.emplace_back(&series, fine);
  }
  added.samples += fill(*head, slot);
  const std::size_t grown = head->bytes() - before;
  shard.head_bytes += grown;
  added.head_bytes += grown;
  series.newest_us = std::max(series.newest_us, microseconds(time));
}

Result<Done> Store::add_one(const HashedKey& key, UnitNumber unit, Resolution resolution, base::TimePoint time,
                            const Summary& samples, base::TimePoint now) {
  Shard& shard = catalog_.shard_of(key);
  const std::lock_guard lock(shard.mutex);
  StoredSeries* series = catalog_.find_or_make(shard, key, unit);
  if (!series) return refuse_new(1);
  if (samples.count == 0) return Done{};
  add(shard, *series, resolution, time, now, Telling(*this), [&](Head& head, std::int64_t slot) {
    head.add(slot, samples);
    return samples.count;
  });
  return Done{};
}

Result<Done> Store::put(std::span<const Datum> data) {
  if (auto room = check_room(); !room) return room;
  const auto now = clock_.now();
  // All keys in one string; where each ends.
  std::string keys;
  std::vector<std::size_t> ends;
  ends.reserve(data.size());
  const auto key_of = [&](std::size_t i) {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return HashedKey(std::string_view(keys).substr(begin, ends[i] - begin));
  };
  for (const auto& datum : data) {
    append_metric_key(keys, datum.metric);
    ends.push_back(keys.size());
    if (datum.time < now - kOldestSample || datum.time > now + kNewestSample) {
      return out_of_window(key_of(ends.size() - 1).text, datum.time, now);
    }
  }
  auto room = check_series_limit(data.size(), key_of, [&](std::size_t i) { return data[i].unit; });
  if (!room) return room;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto& one = data[i];
    auto added = add_one(key_of(i), one.unit, one.resolution, one.time, one.samples, now);
    if (!added) return added;
  }
  return Done{};
}

Result<Done> Store::put(PutBatch& batch) {
  if (auto room = check_room(); !room) return room;
  const auto now = clock_.now();
  const std::size_t count = batch.data.size();
  const auto key_of = [&](std::size_t i) {
    const std::size_t begin = i == 0 ? 0 : batch.data[i - 1].key_end;
    return HashedKey(std::string_view(batch.keys).substr(begin, batch.data[i].key_end - begin));
  };
  for (std::size_t i = 0; i < count; ++i) {
    const auto time = batch.data[i].time;
    if (time < now - kOldestSample || time > now + kNewestSample) {
      return out_of_window(batch.data[i].series.series ? catalog_.key_of(batch.data[i].series) : key_of(i).text, time,
                           now);
    }
  }
  // The data of each shard in their order, so that its lock is taken once.
  std::array<std::uint32_t, Catalog::kShards + 1> begins{};
  std::vector<std::uint8_t> shard_of(count);
  std::vector<std::uint32_t> without_series;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& datum = batch.data[i];
    if (!datum.series.series) without_series.push_back(static_cast<std::uint32_t>(i));
    const Shard& shard = datum.series.series ? *datum.series.shard : catalog_.shard_of(key_of(i));
    shard_of[i] = static_cast<std::uint8_t>(&shard - catalog_.shards().data());
    ++begins[shard_of[i] + 1U];
  }
  auto room = check_series_limit(
      without_series.size(), [&](std::size_t i) { return key_of(without_series[i]); },
      [&](std::size_t i) { return batch.data[without_series[i]].unit; });
  if (!room) return room;
  for (std::size_t shard = 0; shard < Catalog::kShards; ++shard) begins[shard + 1] += begins[shard];
  std::vector<std::uint32_t> places(count);
  for (std::size_t i = 0; i < count; ++i) places[begins[shard_of[i]]++] = static_cast<std::uint32_t>(i);
  // Each beginning has moved to the next one's.
  Result<Done> done = Done{};
  for (std::size_t shard = 0, begin = 0; shard < Catalog::kShards && done; begin = begins[shard++]) {
    if (begin == begins[shard]) continue;
    done = add_to_shard(catalog_.shards()[shard], batch, std::span(places).subspan(begin, begins[shard] - begin), now);
  }
  return done;
}

Result<Done> Store::add_to_shard(Shard& shard, PutBatch& batch, std::span<const std::uint32_t> places,
                                 base::TimePoint now) {
  const std::lock_guard lock(shard.mutex);
  const Telling added(*this);
  for (std::size_t n = 0; n < places.size(); ++n) {
    prefetch(batch, places, n);
    const std::uint32_t i = places[n];
    auto& datum = batch.data[i];
    if (!datum.series.series) {
      const std::size_t begin = i == 0 ? 0 : batch.data[i - 1].key_end;
      const auto key = std::string_view(batch.keys).substr(begin, datum.key_end - begin);
      datum.series = {&shard, catalog_.find_or_make(shard, key, datum.unit)};
      if (!datum.series.series) return refuse_new(1);
    }
    const auto* const values = batch.values.data();
    const std::size_t first = i == 0 ? 0 : batch.data[i - 1].values_end;
    add(shard, *datum.series.series, datum.resolution, datum.time, now, added, [&](Head& head, std::int64_t slot) {
      std::uint64_t samples = 0;
      for (std::size_t at = first; at < datum.values_end; ++at) {
        head.add(slot, values[at].first, values[at].second);
        samples += values[at].second;
      }
      return samples;
    });
  }
  return Done{};
}

Store::Known Store::known() const {
  const std::lock_guard door(known_door_);
  return {std::shared_lock(known_mutex_), known_, known_generation_};
}

void Store::learn(const PutBatch& batch, std::uint64_t generation) {
  if (batch.spellings.empty()) return;
  const std::lock_guard door(known_door_);
  const std::unique_lock lock(known_mutex_);
  if (generation != known_generation_) return;
  for (const auto& [place, spelling] : batch.spellings) {
    if (batch.data[place].series.series) known_.add(spelling, batch.data[place].series);
  }
}

Result<SeriesRef> Store::refer(const MetricId& metric, UnitNumber unit) {
  const std::string key = metric_key(metric);
  Shard& shard = catalog_.shard_of(key);
  const std::lock_guard lock(shard.mutex);
  StoredSeries* series = catalog_.find_or_make(shard, key, unit);
  if (!series) {
    refused_series_.fetch_add(1, std::memory_order_relaxed);
    return Error{Errc::kLimit, fmt::format("metric {} is new, and the store holds its {} series already", metric.name,
                                           settings_.series_limit)};
  }
  series->pinned = true;
  return SeriesRef{&shard, series};
}

Result<Done> Store::put(const SeriesRef& series, base::TimePoint time, const Summary& samples) {
  if (auto room = check_room(); !room) return room;
  if (samples.count == 0) return Done{};
  const std::lock_guard lock(series.shard->mutex);
  add(*series.shard, *series.series, Resolution::kSecond, time, clock_.now(), Telling(*this),
      [&](Head& head, std::int64_t slot) {
        head.add(slot, samples);
        return samples.count;
      });
  return Done{};
}

Result<Done> Store::check_room() const {
  if (head_bytes_.load(std::memory_order_relaxed) <= kHeadRoom * settings_.head_bytes) return Done{};
  return Error{Errc::kUnavailable, fmt::format("the metrics store has more than {} MiB that are not on disk yet: see "
                                               "the log for what keeps it from writing to {}",
                                               kHeadRoom * settings_.head_bytes >> 20, settings_.directory.native())};
}

// --- to the log -----------------------------------------------------------------------------------------------------

void Store::commit_pending(Shard& shard) {
  for (const auto& [series, fine] : shard.pending) {
    Head& head = fine ? *series->fine : *series->standard;
    if (!head.has_pending()) continue;
    const std::size_t before = head.bytes();
    put_varint(shard.log, std::uint64_t{series->id} << 1 | fine);
    put_slot(head.pending(), 0, shard.log, shard.log);
    head.commit();
    const std::size_t grown = head.bytes() - before;
    shard.head_bytes += grown;
    head_bytes_.fetch_add(grown, std::memory_order_relaxed);
  }
  shard.pending.clear();
}

Result<Done> Store::tick() {
  const std::lock_guard lock(log_mutex_);
  std::string records;
  for (auto& shard : catalog_.shards()) {
    const std::lock_guard shard_lock(shard.mutex);
    commit_pending(shard);
    records += shard.log;
    shard.log.clear();
  }
  return write_log(std::move(records));
}

Result<Done> Store::write_log(std::string records) {
  unwritten_ += records;
  if (unwritten_.empty()) return Done{};
  // A log must not name series that the catalog's file does not know.
  if (auto written = write_catalog(); !written) return written;
  auto written = log_.append(unwritten_);
  // The heads have it still; only a crash would lose what is given up here.
  if (written || unwritten_.size() > kUnwrittenBytes) unwritten_.clear();
  return written ? log_.sync() : written;
}

Result<Done> Store::write_catalog() {
  for (auto& payload : catalog_.take_new()) unwritten_series_.push_back(std::move(payload));
  if (unwritten_series_.empty()) return Done{};
  std::string payloads;
  for (const auto& payload : unwritten_series_) {
    put_varint(payloads, payload.size());
    payloads += payload;
  }
  auto written = catalog_file_.append(payloads);
  if (written) written = catalog_file_.sync();
  if (written) unwritten_series_.clear();
  return written;
}

Store::Figures Store::figures() const {
  Figures figures;
  figures.series = catalog_.size();
  figures.head_bytes = head_bytes_.load(std::memory_order_relaxed);
  figures.samples = samples_.load(std::memory_order_relaxed);
  figures.refused_series = refused_series_.load(std::memory_order_relaxed);
  figures.failed_writes = failed_writes_.load(std::memory_order_relaxed);
  const std::shared_lock lock(view_mutex_);
  for (const auto& level : view_->levels) {
    for (const auto& [number, partition] : level) {
      figures.segments += partition.size();
      for (const auto& segment : partition) figures.segment_bytes += segment->bytes();
    }
  }
  return figures;
}

}  // namespace securebase::monitoring
