// What GetMetricData, alarms and dashboards ask for: statistics of metrics, and expressions over them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "monitoring/series.h"

namespace securebase::monitoring {

struct MetricStat {
  MetricId metric;
  std::chrono::seconds period{60};
  std::string stat;                 // "Average", "p95"
  std::optional<std::string> unit;  // nullopt: of the one unit present
  bool operator==(const MetricStat&) const = default;
};

// MetricDataQuery of CloudWatch's API: either metric_stat or expression is set.
struct DataQuery {
  std::string id;  // starts with a lower-case letter
  std::optional<MetricStat> metric_stat;
  std::string expression;
  std::string label;
  bool return_data = true;
  std::optional<std::chrono::seconds> period;  // of an expression
  bool operator==(const DataQuery&) const = default;
};

}  // namespace securebase::monitoring
