// Runs virtual users on a schedule, on worker threads of its own, and watches over itself: a generator that is late
// measures itself and not the target, so its run is not valid.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load/engine/session.h"
#include "load/measure/collector.h"
#include "net/tls.h"

namespace securebase::load {

struct EngineSettings {
  std::vector<Phase> phases;
  Schedule::Share share;    // of this machine, when several run the same schedule
  std::size_t workers = 1;  // threads
  // What happens before is not measured: flows ask Session::measured(). It counts from the first arrival.
  std::chrono::nanoseconds warm_up{};
  // After the last phase, how long users may go on; nullopt: until the last one has ended by itself.
  std::optional<std::chrono::nanoseconds> grace;
  // Users of a worker share connections, at most so many to an origin; nullopt: each user has its own.
  std::optional<std::size_t> pool;
  Limits limits;
  net::TlsClientSettings tls;
};

// How the generator itself did, while it measured.
struct Generator {
  std::uint64_t arrivals = 0;
  std::uint64_t skipped = 0;      // as many users were at work as their phase allows
  std::uint64_t overflowed = 0;   // as many were at work as the engine takes: nobody asked for that
  telemetry::Sketch lateness_ms;  // of arrivals: when the user began, after its intended time
  telemetry::Sketch lag_ms;       // of a timer that asks for every kSweep: how late the loop was; without arrivals too
  double busiest_worker = 0;      // the share of the time in which the busiest thread had a CPU, 0 to 1
  double cpu_seconds = 0;         // of the whole process
  double wall_seconds = 0;
  std::uint64_t own_failures = 0;  // of connecting: out of descriptors, out of local ports
  std::uint64_t unfinished = 0;    // users that were at work when the run ended

  void merge(const Generator& other);
};

// Why a run has no verdict; empty: it may have one. `tightest_ms`: the smallest latency that a threshold names; 0: none
// does, and lateness is held against 100 ms.
std::vector<std::string> why_invalid(const Generator& generator, double tightest_ms);

class Engine {
 public:
  using MakeFlow = std::function<std::unique_ptr<Flow>(WorkerContext& worker, std::size_t index)>;
  struct Progress {
    std::chrono::milliseconds elapsed{};
    std::uint32_t phase = 0;
    std::uint64_t users = 0;  // at work
    bool warming_up = false;
  };

  // `collector` outlives it. kMalformed: the phases.
  static Result<std::unique_ptr<Engine>> make(EngineSettings settings, Collector& collector, MakeFlow make_flow);
  ~Engine();

  // Blocks until the last user has ended. Raises the process's limit of descriptors to what it may have. `each_second`
  // is called about once a second on the calling thread, after the collector has collected. Not from a worker's thread.
  Generator run(const std::function<void(const Progress&)>& each_second);
  // Any thread, signal handlers too: no more arrivals, users end.
  void stop() { stop_wanted_.store(true, std::memory_order_relaxed); }
  bool was_stopped() const { return stop_wanted_.load(std::memory_order_relaxed); }

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::atomic<bool> stop_wanted_ = false;
};

}  // namespace securebase::load
