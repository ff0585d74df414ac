// What clients put (PutMetricData, OTLP), by its newest whole minute: what is shown to a scraper and pushed to others.
// What the rooms record themselves is read where they record it.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "monitoring/metrics/store.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring {

struct PutMinute {
  MetricId metric;
  UnitNumber unit = 0;
  base::TimePoint start;  // of the minute
  std::uint64_t samples = 0;
  double sum = 0;
  double minimum = 0;
  double maximum = 0;
  // nullopt: not asked for, or not known, since some samples came as statistic sets.
  std::optional<double> p50;
  std::optional<double> p95;
  std::optional<double> p99;
};

// As the CloudWatch exporter of Prometheus names them: "_average", "_sum", "_minimum", "_maximum", "_sample_count".
std::array<std::pair<std::string_view, double>, 5> gauges_of(const PutMinute& minute);

enum class Percentiles { kNone, kSome };

struct NewestMinutes {
  std::vector<PutMinute> minutes;
  std::size_t left_out = 0;  // metrics that there was no room for
};

// Of metrics that have samples in the five whole minutes before `now`; of at most 10,000 metrics. Reads the store.
NewestMinutes newest_minutes(const telemetry::Registry& registry, const Store& store, base::TimePoint now,
                             Percentiles percentiles);

}  // namespace securebase::monitoring
