// Where a thread records. Give every busy thread a recorder of its own: then its lock is never waited for (some
// nanoseconds), except once a second, for the moment in which the collector exchanges an empty slice for the full one.
// Threads that record seldom, like thousands of k6 users, may share one.
//
//   Recorder& recorder = collector.make_recorder();
//   {
//     Recorder::Batch batch(recorder);       // one lock for all that belongs together
//     batch.add(requests, 1);
//     batch.add(response_time, 12.5);
//   }
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "load/measure/series.h"
#include "telemetry/sketch.h"

namespace securebase::load {

// A histogram that is fast to add to: counts by octave, made when an octave gets its first sample.
class Histogram {
 public:
  void add(double value, std::uint64_t times = 1);
  void clear();  // keeps its memory
  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }
  // Its samples as a sketch: the same buckets, exact count, sum, minimum and maximum.
  telemetry::Sketch sketch() const;

 private:
  static constexpr int kPerOctave = telemetry::Buckets::kPerOctave;
  struct Octave {
    std::array<std::uint64_t, kPerOctave> counts{};
    std::uint64_t total = 0;
  };
  std::array<std::unique_ptr<Octave>, telemetry::Buckets::kOctaves> octaves_;
  std::uint64_t zeros_ = 0;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double minimum_ = 0;
  double maximum_ = 0;
};

// What one series got within one slice. NaN is not recorded.
struct Cell {
  std::uint64_t count = 0;  // additions
  double sum = 0;           // a rate: how many were true
  double minimum = 0;       // these three: gauges
  double maximum = 0;
  double latest = 0;
  std::unique_ptr<Histogram> histogram;  // trends

  void add(Kind kind, double value, std::uint64_t times);
  void clear();
};

class Recorder {
 public:
  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  class Batch {
   public:
    explicit Batch(Recorder& recorder) : recorder_(recorder), lock_(recorder.mutex_) {}
    void add(Series series, double value, std::uint64_t times = 1) {
      recorder_.cell(series).add(series.kind, value, times);
    }

   private:
    Recorder& recorder_;
    std::unique_lock<std::mutex> lock_;
  };

  void add(Series series, double value) { Batch(*this).add(series, value); }

 private:
  friend class Collector;
  using Slice = std::vector<Cell>;  // by index of series

  Cell& cell(Series series) {
    if (series.index >= slice_->size()) slice_->resize(series.index + 1);
    return (*slice_)[series.index];
  }
  // Gives what was recorded since the last exchange, and takes an empty slice.
  std::unique_ptr<Slice> exchange(std::unique_ptr<Slice> empty);

  std::mutex mutex_;
  std::unique_ptr<Slice> slice_ = std::make_unique<Slice>();  // guarded by mutex_
};

}  // namespace securebase::load
