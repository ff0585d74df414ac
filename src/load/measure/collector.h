// Brings together what the threads of one run recorded. collect() is called about once a second by one thread; between
// calls nobody waits for anybody. Periods (Artillery's 10 seconds) are told as they end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "load/measure/measured.h"
#include "load/measure/recorder.h"

namespace securebase::load {

class Collector {
 public:
  // `period` is a multiple of a second; zero: no periods.
  explicit Collector(const base::Clock& clock, std::chrono::seconds period = std::chrono::seconds{0});

  Catalogue& catalogue() { return catalogue_; }
  // Shorthand for catalogue().series().
  Series series(Kind kind, std::string_view metric, Tags tags = {}) {
    return catalogue_.series(kind, metric, std::move(tags));
  }

  // Any thread. Lives as long as the collector.
  Recorder& make_recorder();

  // Told on the thread that collects, with what was recorded within the period; its times count from start().
  void on_period(std::function<void(const Slice&)> told) { told_ = std::move(told); }

  // The clock of the run begins now; what was recorded before (warm-up) is dropped.
  void start();
  // The same, but the clock begins at `at`, which may be still to come: then nothing needs to be called at that moment,
  // for which a thread may be late, but what is recorded before it counts.
  void start(base::SteadyPoint at);
  // Takes what the recorders have. One thread at a time.
  void collect();
  // collect(), with the last period told even though it is not full.
  void finish();

  // What was collected since start(). Any thread; copies.
  Measured measured() const;
  // What was collected since the last call: for a live view. Any one thread.
  Values recent();

 private:
  void absorb(Values& fresh);
  void end_period(std::chrono::milliseconds at);
  std::chrono::milliseconds since_start() const;

  const base::Clock& clock_;
  const std::chrono::milliseconds period_;
  Catalogue catalogue_;
  std::function<void(const Slice&)> told_;

  mutable std::mutex mutex_;  // guards all below
  std::vector<std::unique_ptr<Recorder>> recorders_;
  std::vector<std::unique_ptr<Recorder::Slice>> empty_;
  std::vector<Catalogue::Entry> entries_;  // of the catalogue, as far as they were looked at
  base::SteadyPoint started_;
  std::chrono::milliseconds collected_{};  // up to here
  Slice in_period_;
  Measured measured_;
  Values recent_;
};

}  // namespace securebase::load
