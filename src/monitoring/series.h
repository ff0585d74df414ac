// The numbers of metrics as alarms, metric math and dashboards read them, whoever stores them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::monitoring {

// Namespace, name and the exact set of dimensions; there is no roll-up over dimensions (CloudWatch user guide,
// "Dimensions").
struct MetricId {
  std::string name_space;
  std::string name;
  std::vector<std::pair<std::string, std::string>> dimensions;  // sorted by name
  auto operator<=>(const MetricId&) const = default;
};

// One period of one metric.
struct Point {
  base::TimePoint start;  // of the period
  double value = 0;       // of the statistic that was asked for
  std::uint64_t samples = 0;
  bool operator==(const Point&) const = default;
};

struct MetricQuery {
  MetricId metric;
  std::string statistic;            // "Average", "p95", "TM(10%:90%)", "PR(:300)"
  std::optional<std::string> unit;  // nullopt: of the one unit present
  std::chrono::seconds period{60};
  // Periods begin at multiples of `period` after this: 0 is aligned to the epoch. Alarms slide by whole minutes (whole
  // multiples of 10 s for periods below a minute), so it is one of those, and below `period`.
  std::chrono::seconds phase{0};
  base::TimePoint from;  // inclusive: the first period that counts starts here or later
  base::TimePoint to;    // exclusive
};

// What list-metrics and SEARCH look for.
struct MetricFilter {
  std::optional<std::string> name_space;
  std::optional<std::string> name;
  // A dimension of that name, with that value when there is one.
  std::vector<std::pair<std::string, std::optional<std::string>>> dimensions;
};

// Any thread. May block on files for what is old.
class Series {
 public:
  virtual ~Series() = default;
  // Periods without samples are left out; oldest first. kMalformed: the statistic is none.
  virtual Result<std::vector<Point>> read(const MetricQuery& query) const = 0;
  // All samples of [from, to) as one point: percentiles are of all of them together. Of the period counts only whether
  // it is below a minute; then it is to the second, else to whole minutes downwards. nullopt: none.
  virtual Result<std::optional<Point>> whole(const MetricQuery& query) const = 0;
  // In order. Those with samples in the last 15 months.
  virtual std::vector<MetricId> list(const MetricFilter& filter) const = 0;
  // When the newest sample of the metric came; nullopt: never.
  virtual std::optional<base::TimePoint> newest(const MetricId& metric) const = 0;
};

}  // namespace securebase::monitoring
