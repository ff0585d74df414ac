#include "monitoring/metrics/collector.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/log.h"

namespace securebase::monitoring {

namespace {

struct RollUp {
  std::string_view name_space;
  std::vector<std::string_view> from;  // exactly these dimensions, in any order
  std::vector<std::string_view> to;    // are recorded under these too
};

// CloudFront's user guide shows DistributionId with Region=Global; clients often leave Region out. Lambda has every
// metric "across all functions", ElastiCache across all groups.
const std::array kRollUps{
    RollUp{"AWS/CloudFront", {"DistributionId", "Region"}, {"DistributionId"}},
    RollUp{"AWS/Lambda", {"FunctionName"}, {}},
    RollUp{"AWS/ElastiCache", {"ReplicationGroupId"}, {}},
};

bool has_exactly(const telemetry::Dimensions& dimensions, const std::vector<std::string_view>& names) {
  return dimensions.size() == names.size() && std::ranges::all_of(dimensions, [&](const auto& dimension) {
           return std::ranges::find(names, dimension.first) != names.end();
         });
}

std::vector<MetricId> metrics_of(const telemetry::Registry::Series& series) {
  MetricId metric{std::string(series.metric->name_space), std::string(series.metric->name), series.dimensions};
  std::ranges::sort(metric.dimensions);
  std::vector<MetricId> metrics{metric};
  for (const auto& roll_up : kRollUps) {
    if (roll_up.name_space != metric.name_space || !has_exactly(metric.dimensions, roll_up.from)) continue;
    MetricId wider = metric;
    std::erase_if(wider.dimensions, [&](const auto& dimension) {
      return std::ranges::find(roll_up.to, dimension.first) == roll_up.to.end();
    });
    metrics.push_back(std::move(wider));
  }
  return metrics;
}

}  // namespace

void Collector::take_up_new() {
  for (const auto* series : registry_.series_after(sources_.size())) {
    Source source{series, {}, 0, {}};
    const UnitNumber unit = unit_number(to_string(series->metric->unit)).value_or(0);
    for (const auto& metric : metrics_of(*series)) {
      auto target = store_.refer(metric, unit);
      if (target) {
        source.targets.push_back(*target);
      } else if (!complained_) {
        base::log(base::Level::kWarning, "monitoring", "not stored: {}", target.error().message);
        complained_ = true;
      }
    }
    sources_.push_back(std::move(source));
  }
}

Summary Collector::news_of(Source& source) {
  Summary news;
  const auto& series = *source.series;
  if (series.counter) {
    const std::uint64_t total = series.counter->total();
    const std::uint64_t amount = total - source.counted;
    source.counted = total;
    if (amount == 0) return news;
    if (series.metric->unit == telemetry::Unit::kCount) {
      news.add(1, amount);
    } else {
      news.add(static_cast<double>(amount));
    }
  } else if (series.distribution) {
    news = Summary::of(series.distribution->take(source.seen));
  } else if (series.gauge) {
    news.add(series.gauge->value());
  }
  return news;
}

void Collector::collect(base::TimePoint time) {
  take_up_new();
  for (auto& source : sources_) {
    const Summary news = news_of(source);
    if (news.count == 0) continue;
    for (const auto& target : source.targets) {
      auto put = store_.put(target, time, news);
      // Full heads: the store's own threads say so, once a second.
      if (!put) return;
    }
  }
}

}  // namespace securebase::monitoring
