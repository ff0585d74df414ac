// What was measured, merged over threads, time and machines: values, without threads. Merging is exact: counts are
// added, histograms are added bucket by bucket, and a percentile is taken of the sum.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "load/measure/series.h"
#include "telemetry/sketch.h"

namespace securebase::load {

struct Value {
  Kind kind = Kind::kCounter;
  std::uint64_t count = 0;  // additions
  double sum = 0;           // counters: the value; rates: how many were true; trends: of the samples
  double minimum = 0;       // gauges
  double maximum = 0;
  double latest = 0;
  telemetry::Sketch sketch;  // trends

  void merge(const Value& later);
};

using Values = std::map<Key, Value>;
void merge(Values& into, const Values& later);

// A stretch of the run. Slices of a timeline have one width; the last one may be cut short.
struct Slice {
  std::chrono::milliseconds begin{};  // since the run's start
  std::chrono::milliseconds end{};
  Values values;
};

// A run from its start to its end in at most kMostSlices slices: when there would be more, each two become one, so a
// day needs no more memory than ten minutes.
class Timeline {
 public:
  static constexpr std::size_t kMostSlices = 300;
  static constexpr std::size_t kMostSeries = 200;  // those that came first; truncated() says that there were more

  Timeline() = default;
  explicit Timeline(std::chrono::milliseconds width) : width_(width) {}
  // `values` were recorded between `begin` and `end`; slices come in rising order, of any width up to width().
  void add(Slice slice);
  // Another machine's timeline of the same run.
  void merge(const Timeline& other);

  std::chrono::milliseconds width() const { return width_; }
  const std::vector<Slice>& slices() const { return slices_; }
  bool truncated() const { return truncated_; }

 private:
  void put(Slice slice);
  void halve();

  std::chrono::milliseconds width_{1000};
  std::vector<Slice> slices_;
  std::map<Key, bool> known_;
  bool truncated_ = false;
};

struct Measured {
  std::chrono::milliseconds duration{};
  Values values;  // the whole run
  Timeline timeline;

  // The sum over all series of that metric that have all of `tags`; nullopt: there is none.
  std::optional<Value> find(std::string_view metric, const Tags& tags = {}) const;
  // A counter's sum; 0 where there is none.
  double total(std::string_view metric, const Tags& tags = {}) const;
  void merge(const Measured& other);
};

std::optional<Value> find(const Values& values, std::string_view metric, const Tags& tags = {});

}  // namespace securebase::load
