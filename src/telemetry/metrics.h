// Recording, cheap enough for every hop. A room declares its metrics once (metrics.h of the room), asks the registry
// for a Counter or a Distribution per combination of dimensions, keeps the reference, and records. Recording writes to
// a cell of the calling thread's own: no lock, no shared cache line, no allocation after a distribution's first sample
// in an octave. Reading adds the cells up; what is recorded meanwhile may or may not be in it.
//
//   inline constexpr telemetry::Metric kLatency{"AWS/ApiGateway", "Latency", telemetry::Unit::kMilliseconds,
//                                               "From the first byte of a request to its answer."};
//   telemetry::Distribution& latency = registry.distribution(kLatency, {{"ApiName", api.name}});
//   latency.record(1.25);
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/sketch.h"

namespace securebase::telemetry {

// CloudWatch's units (MetricDatum, AWS CloudWatch API).
enum class Unit {
  kNone,
  kCount,
  kPercent,
  kMilliseconds,
  kMicroseconds,
  kSeconds,
  kBytes,
  kCountPerSecond,
  kBytesPerSecond
};
std::string_view to_string(Unit unit);

// A metric as its room declares it. Static storage: recorders refer to it.
struct Metric {
  std::string_view name_space;
  std::string_view name;
  Unit unit = Unit::kNone;
  std::string_view description;
};

// In the order that CloudWatch shows them; at most 30 a series.
using Dimensions = std::vector<std::pair<std::string, std::string>>;

// Threads that record get cells 0 to kCells - 2 for themselves as they come; all later ones share the last.
inline constexpr std::size_t kCells = 17;
struct CellOfThread {
  std::size_t index;
  bool shared;
};
CellOfThread cell_of_this_thread();

// How often, and how much: a sum that only grows.
class Counter {
 public:
  void add(std::uint64_t amount = 1);
  std::uint64_t total() const;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  Cell cells_[kCells];
};

// The values themselves, as a histogram: durations, sizes. Negative values count as 0.
class Distribution {
 public:
  Distribution() = default;
  ~Distribution();
  Distribution(const Distribution&) = delete;
  Distribution& operator=(const Distribution&) = delete;

  // `times` samples of that value.
  void record(double value, std::uint64_t times = 1);
  // Everything recorded since the start.
  Sketch total() const;
  // What was recorded since the last take: `seen` is what total() was then, and is made what it is now. Its minimum and
  // maximum are exact. For one reader at a time, whoever stores what was recorded; nothing new costs next to nothing.
  Sketch take(Sketch& seen);

 private:
  struct Cell;
  Cell& cell(std::size_t index);
  std::atomic<Cell*> cells_[kCells] = {};  // owned; made at a thread's first sample
};

// A level that is set, not added to: connections open, bytes held.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double change);
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Owns the recorders; they live as long as it does. Any thread. At most `series_limit` series: further ones all record
// into one overflow series per metric, whose dimensions are {{"__other__", ""}}, so that a client cannot make us grow.
class Registry {
 public:
  explicit Registry(std::size_t series_limit = 100'000);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The same recorder for the same metric and dimensions. Takes a lock: keep the reference.
  Counter& counter(const Metric& metric, const Dimensions& dimensions = {});
  Distribution& distribution(const Metric& metric, const Dimensions& dimensions = {});
  Gauge& gauge(const Metric& metric, const Dimensions& dimensions = {});

  struct Series {
    const Metric* metric;
    Dimensions dimensions;
    // One of them is set.
    const Counter* counter = nullptr;
    Distribution* distribution = nullptr;  // not const: take()
    const Gauge* gauge = nullptr;
  };
  // Those that exist now; the pointers stay valid.
  std::vector<Series> series() const;
  // Those that were made after the first `count`, in the order in which they were made; they live as long as this.
  std::vector<const Series*> series_after(std::size_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::telemetry
