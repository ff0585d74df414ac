// Numbers in memory, for tests, benchmarks and fuzzing of what reads a Series. Exact for Sum, SampleCount, Average,
// Minimum, Maximum and pNN of what was put; one thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "monitoring/series.h"

namespace securebase::monitoring {

class FakeSeries final : public Series {
 public:
  void put(const MetricId& metric, base::TimePoint time, double value) {
    auto& held = metrics_[metric];
    held.samples[time].push_back(value);
    held.newest = ++puts_;
  }

  Result<std::vector<Point>> read(const MetricQuery& query) const override {
    std::vector<Point> points;
    const auto at = metrics_.find(query.metric);
    if (at == metrics_.end()) return points;
    const auto& samples = at->second.samples;
    std::vector<double> values;
    base::TimePoint start{};
    const auto close = [&]() -> Result<Done> {
      if (values.empty()) return Done{};
      auto value = of(query.statistic, values);
      if (!value) return value.error();
      points.push_back({start, *value, values.size()});
      values.clear();
      return Done{};
    };
    for (auto one = samples.lower_bound(query.from); one != samples.end() && one->first < query.to; ++one) {
      const auto since = one->first.time_since_epoch() - query.phase;
      const auto period_start = one->first - since % std::chrono::microseconds(query.period);
      if (period_start < query.from) continue;
      if (period_start != start) {
        if (auto done = close(); !done) return done.error();
      }
      start = period_start;
      values.insert(values.end(), one->second.begin(), one->second.end());
    }
    if (auto done = close(); !done) return done.error();
    return points;
  }

  Result<std::optional<Point>> whole(const MetricQuery& query) const override {
    const auto at = metrics_.find(query.metric);
    std::vector<double> values;
    if (at != metrics_.end()) {
      const auto& samples = at->second.samples;
      for (auto one = samples.lower_bound(query.from); one != samples.end() && one->first < query.to; ++one) {
        values.insert(values.end(), one->second.begin(), one->second.end());
      }
    }
    if (values.empty()) return std::optional<Point>();
    auto value = of(query.statistic, values);
    if (!value) return value.error();
    return std::optional(Point{query.from, *value, values.size()});
  }

  std::vector<MetricId> list(const MetricFilter& filter) const override {
    std::vector<MetricId> found;
    for (const auto& [metric, held] : metrics_) {
      if (!filter.name_space || *filter.name_space == metric.name_space) found.push_back(metric);
    }
    return found;
  }

  std::optional<base::TimePoint> newest(const MetricId& metric) const override {
    const auto at = metrics_.find(metric);
    if (at == metrics_.end()) return std::nullopt;
    return base::TimePoint{std::chrono::microseconds{at->second.newest}};
  }

 private:
  static Result<double> of(const std::string& statistic, std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    if (statistic == "Sum") return sum;
    if (statistic == "SampleCount") return static_cast<double>(values.size());
    if (statistic == "Average") return sum / static_cast<double>(values.size());
    std::sort(values.begin(), values.end());
    if (statistic == "Minimum") return values.front();
    if (statistic == "Maximum") return values.back();
    if (statistic.size() > 1 && statistic[0] == 'p') {
      const double share = std::strtod(statistic.c_str() + 1, nullptr) / 100;
      const auto rank = std::ceil(share * static_cast<double>(values.size()));
      return values[static_cast<std::size_t>(std::clamp(rank - 1, 0.0, static_cast<double>(values.size() - 1)))];
    }
    return Error{Errc::kMalformed, "\"" + statistic + "\" is no statistic"};
  }

  struct Held {
    std::map<base::TimePoint, std::vector<double>> samples;
    std::int64_t newest = 0;
  };
  std::map<MetricId, Held> metrics_;
  std::int64_t puts_ = 0;
};

}  // namespace securebase::monitoring
