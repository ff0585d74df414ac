// Thresholds: "p(95)<100" and the like, parsed once and held against what was measured.
//
//   threshold: stat operator number        stat: avg min max med p(N) (trends), rate (rates, counters), count
//   (counters,
//                                                trends), value (gauges)
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k6/duration.h"
#include "load/measure/measured.h"

namespace securebase::k6 {

enum class Statistic { kAverage, kMinimum, kMaximum, kMedian, kPercentile, kRate, kCount, kValue };
enum class Comparison { kLess, kAtMost, kMore, kAtLeast, kEqual, kNotEqual };

struct Threshold {
  std::string source;  // as it was written
  Statistic statistic = Statistic::kAverage;
  double percentile = 0;  // with kPercentile
  Comparison comparison = Comparison::kLess;
  double bound = 0;
  bool abort_on_fail = false;
  Nanoseconds delay_abort{};  // not aborted before so much of the run is over

  // What the statistic is; nullopt: nothing was measured. `elapsed` turns a counter into a rate.
  std::optional<double> observed(const load::Value& value, Nanoseconds elapsed) const;
  bool holds(double observed) const;
};

// The error names the character (from 1) and what was expected there.
Result<Threshold> parse_threshold(std::string_view text);
// Whether a metric of that kind has that statistic; else the error says which it has.
Result<Done> fits(const Threshold& threshold, load::Kind kind);

// "http_req_duration{status:200,name:x}": the metric's name and the tags that a sample must have.
struct MetricSelector {
  std::string metric;
  load::Tags tags;
};
Result<MetricSelector> parse_selector(std::string_view text);

// The value that `name` (as in summaryTrendStats: avg, med, p(99.9), count) has for a trend; 0 when it is empty.
Result<double> trend_statistic(const load::Value& value, std::string_view name);

}  // namespace securebase::k6
