// The store of all metrics: <state>/metrics. docs/metrics-store.md describes the files.
//
// A sample goes into the head of its series (head.h) and, within a second, into the ingest log. Every few minutes, or
// when the heads are large, a flush writes the heads as segments, at every level at once (level.h), and begins a new
// log. Segments of one partition are merged when there are several of a size. A query reads the coarsest level whose
// slots make up the period, and adds what the heads hold.
//
// Threads: samples and queries come on any thread and may block; two threads of its own tick (log) and maintain (flush,
// merge, forget). What is acknowledged is in the log a second later at most. No sample is counted twice or dropped by a
// crash at any moment, save those of the last second.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "monitoring/metrics/catalog.h"
#include "monitoring/metrics/frame_file.h"
#include "monitoring/metrics/level.h"
#include "monitoring/metrics/manifest.h"
#include "monitoring/metrics/put_batch.h"
#include "monitoring/metrics/statistic.h"
#include "monitoring/series.h"

namespace securebase::monitoring {

// Where samples with a time of their own may lie (PutMetricData, "Timestamp").
inline constexpr std::chrono::hours kOldestSample{24 * 14};
inline constexpr std::chrono::hours kNewestSample{2};

// Samples of one metric at one time.
struct Datum {
  MetricId metric;  // dimensions sorted by name
  UnitNumber unit = 0;
  Resolution resolution = Resolution::kMinute;
  base::TimePoint time;
  Summary samples;
};

class Store final : public Series {
 public:
  struct Settings {
    std::filesystem::path directory;
    std::size_t series_limit = 200'000;
    std::size_t head_bytes = std::size_t{64} << 20;  // a flush begins above; samples are refused above four times that
    std::chrono::seconds flush_after{300};           // at the latest, when there are samples
    bool threads = true;                             // false: the owner calls tick() and maintain()
  };

  // kUnsupported: another program's files. Torn and missing segments are left out and logged.
  static Result<std::unique_ptr<Store>> open(Settings settings, const base::Clock& clock);
  // Writes what is pending to the log; the next start goes on from there.
  ~Store() override;

  // All or none, but for a series limit that is reached meanwhile. kLimit: too many series; the message says how many
  // there may be. kMalformed: a time outside of the window. kUnavailable: heads are full because the disk refuses.
  Result<Done> put(std::span<const Datum> data);
  // The same. At least one value in each; values are finite, counts above 0. Gives those with a key their series.
  Result<Done> put(PutBatch& batch);

  // What is known of how clients spell series. While one is held no series is forgotten, so that a batch whose data
  // name their series is read and put under it; for one request.
  class Known {
   public:
    const KnownSeries& spellings() const { return spellings_; }
    std::uint64_t generation() const { return generation_; }

   private:
    friend class Store;
    Known(std::shared_lock<std::shared_mutex> lock, const KnownSeries& spellings, std::uint64_t generation)
        : lock_(std::move(lock)), spellings_(spellings), generation_(generation) {}
    std::shared_lock<std::shared_mutex> lock_;
    const KnownSeries& spellings_;
    const std::uint64_t generation_;
  };
  Known known() const;
  // After put(), with no Known held: its spellings are known from here on. Nothing if series were forgotten since
  // `generation`.
  void learn(const PutBatch& batch, std::uint64_t generation);

  // For who writes to the same series each second: looked up once, never forgotten. kLimit as in put().
  Result<SeriesRef> refer(const MetricId& metric, UnitNumber unit);
  // The resolution is a second; the time is within retention.
  Result<Done> put(const SeriesRef& series, base::TimePoint time, const Summary& samples);

  Result<std::vector<Point>> read(const MetricQuery& query) const override;
  Result<std::optional<Point>> whole(const MetricQuery& query) const override;
  std::vector<MetricId> list(const MetricFilter& filter) const override;
  std::optional<base::TimePoint> newest(const MetricId& metric) const override;

  // The units of a metric's samples.
  std::vector<std::string> units(const MetricId& metric) const;
  // read() for several statistics in one pass: one vector for each.
  Result<std::vector<std::vector<Point>>> read(const MetricQuery& query, std::span<const Statistic> statistics) const;

  struct Figures {
    std::size_t series = 0;
    std::size_t head_bytes = 0;
    std::size_t segments = 0;
    std::uint64_t segment_bytes = 0;
    std::uint64_t samples = 0;         // taken since the start
    std::uint64_t refused_series = 0;  // samples refused because of the series limit
    std::uint64_t failed_writes = 0;
  };
  Figures figures() const;

  // Writes what came since the last tick to the log. Each second.
  Result<Done> tick();
  // Flushes, merges and forgets what is due.
  Result<Done> maintain();
  // A flush whether due or not, and maintain().
  Result<Done> flush();

 private:
  // Immutable: replaced whole.
  struct View {
    using Partition = std::vector<std::shared_ptr<const Segment>>;
    std::array<std::map<std::int64_t, Partition>, kLevels.size()> levels;
    bool frozen_written = true;  // heads' frozen parts are in segments already
  };
  Store(Settings settings, const base::Clock& clock);
  Result<Done> load();
  Result<Done> load_segments();
  Result<Done> load_catalog();
  Result<Done> replay_logs();
  void replay(std::string_view records, std::unordered_map<SeriesId, SeriesRef>& by_id);
  void start_threads();

  Result<Done> check_room() const;
  Error out_of_window(std::string_view key, base::TimePoint time, base::TimePoint now) const;
  Error refuse_new(std::size_t count);
  // Whether `count` metrics may be put: key_of(i) and unit_of(i) tell which.
  template <class KeyOf, class UnitOf>
  Result<Done> check_series_limit(std::size_t count, KeyOf key_of, UnitOf unit_of);
  Result<Done> add_one(const HashedKey& key, UnitNumber unit, Resolution resolution, base::TimePoint time,
                       const Summary& samples, base::TimePoint now);
  // Adds to the counters that all threads share once for all additions under a shard's lock, before it is given back.
  struct Telling {
    explicit Telling(Store& store) : store(store) {}
    ~Telling() {
      store.samples_.fetch_add(samples, std::memory_order_relaxed);
      store.head_bytes_.fetch_add(head_bytes, std::memory_order_relaxed);
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    Store& store;
    mutable std::uint64_t samples = 0;
    mutable std::size_t head_bytes = 0;  // modulo 2^64, for they may become fewer
  };
  // fill(head, slot) adds to the head that takes samples of that time, and gives how many.
  template <class Fill>
  void add(Shard& shard, StoredSeries& series, Resolution resolution, base::TimePoint time, base::TimePoint now,
           const Telling& added, Fill fill);
  Result<Done> add_to_shard(Shard& shard, PutBatch& batch, std::span<const std::uint32_t> places, base::TimePoint now);
  void commit_pending(Shard& shard);
  Result<Done> write_log(std::string records);
  Result<Done> write_catalog();

  Result<Done> freeze();
  void thaw();
  Result<std::vector<std::shared_ptr<const Segment>>> write_frozen();
  Result<Done> flush_heads();
  Result<Done> merge_segments();
  Result<std::shared_ptr<const Segment>> merge(const View::Partition& parts);
  Result<Done> drop_old_partitions();
  Result<Done> forget_series();
  Result<Done> install(std::span<const std::shared_ptr<const Segment>> removed,
                       std::span<const std::shared_ptr<const Segment>> added, bool frozen_written);
  std::filesystem::path log_path(std::uint64_t number) const;

  // Constant after construction.
  const Settings settings_;
  const base::Clock& clock_;

  mutable Catalog catalog_;
  // Above a shard's lock, below log_mutex_. Who wants it alone stands in the door, so that requests in turns cannot
  // keep him out.
  mutable std::mutex known_door_;
  mutable std::shared_mutex known_mutex_;
  KnownSeries known_;
  std::uint64_t known_generation_ = 0;
  std::atomic<std::uint64_t> samples_{0};
  std::atomic<std::uint64_t> refused_series_{0};
  std::atomic<std::uint64_t> failed_writes_{0};
  std::atomic<std::size_t> head_bytes_{0};

  // Readers hold it shared while they take the view and copy from the heads: the two belong together.
  mutable std::shared_mutex view_mutex_;
  std::shared_ptr<const View> view_ = std::make_shared<View>();

  // Above a shard's lock. Who ticks or freezes holds it.
  std::mutex log_mutex_;
  FrameFile catalog_file_;
  FrameFile log_;
  std::uint64_t log_number_ = 1;
  std::string unwritten_;  // records that the disk refused
  std::vector<std::string> unwritten_series_;

  // Above log_mutex_. Who flushes or merges holds it.
  std::mutex maintenance_mutex_;
  Manifest manifest_;
  bool frozen_ = false;           // heads have a frozen part that is in no segment
  std::uint64_t frozen_log_ = 0;  // the first log of what is not frozen
  base::SteadyPoint flushed_at_;

  std::mutex threads_mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace securebase::monitoring
