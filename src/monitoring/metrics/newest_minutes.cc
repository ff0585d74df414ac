#include "monitoring/metrics/newest_minutes.h"

#include <algorithm>
#include <set>

namespace securebase::monitoring {

namespace {

constexpr std::size_t kMostPutMetrics = 10'000;
constexpr std::chrono::minutes kLookBack{5};

std::vector<Statistic> statistics_for(Percentiles percentiles) {
  using Kind = Statistic::Kind;
  std::vector<Statistic> statistics{{Kind::kSampleCount}, {Kind::kSum}, {Kind::kMinimum}, {Kind::kMaximum}};
  if (percentiles == Percentiles::kSome) {
    for (const double percent : {50.0, 95.0, 99.0}) statistics.push_back({Kind::kPercentile, false, {}, percent});
  }
  return statistics;
}

// A percentile has no point where it is not known.
std::optional<double> value_at(const std::vector<Point>& points, base::TimePoint start) {
  const auto found = std::ranges::find(points, start, &Point::start);
  return found == points.end() ? std::nullopt : std::optional(found->value);
}

}  // namespace

std::array<std::pair<std::string_view, double>, 5> gauges_of(const PutMinute& minute) {
  const auto samples = static_cast<double>(minute.samples);
  return {{{"_average", minute.sum / samples},
           {"_sum", minute.sum},
           {"_minimum", minute.minimum},
           {"_maximum", minute.maximum},
           {"_sample_count", samples}}};
}

NewestMinutes newest_minutes(const telemetry::Registry& registry, const Store& store, base::TimePoint now,
                             Percentiles percentiles) {
  std::set<std::pair<std::string_view, std::string_view>> recorded;
  for (const auto* series : registry.series_after(0)) {
    recorded.emplace(series->metric->name_space, series->metric->name);
  }
  const auto statistics = statistics_for(percentiles);
  const auto end = std::chrono::floor<std::chrono::minutes>(now);
  NewestMinutes newest;
  std::size_t listed = 0;
  for (const auto& metric : store.list({})) {
    if (recorded.contains({metric.name_space, metric.name})) continue;
    const auto last = store.newest(metric);
    if (!last || *last < end - kLookBack) continue;
    if (++listed > kMostPutMetrics) {
      ++newest.left_out;
      continue;
    }
    for (const auto& unit : store.units(metric)) {
      const MetricQuery query{
          .metric = metric, .unit = unit, .period = std::chrono::minutes{1}, .from = end - kLookBack, .to = end};
      const auto points = store.read(query, statistics);
      if (!points || points->front().empty()) continue;
      PutMinute minute{metric, unit_number(unit).value_or(0), points->front().back().start};
      minute.samples = points->front().back().samples;
      minute.sum = (*points)[1].back().value;
      minute.minimum = (*points)[2].back().value;
      minute.maximum = (*points)[3].back().value;
      if (percentiles == Percentiles::kSome) {
        minute.p50 = value_at((*points)[4], minute.start);
        minute.p95 = value_at((*points)[5], minute.start);
        minute.p99 = value_at((*points)[6], minute.start);
      }
      newest.minutes.push_back(std::move(minute));
    }
  }
  return newest;
}

}  // namespace securebase::monitoring
