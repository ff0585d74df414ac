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

// Counters whose samples are 1 for what they count and 0 for the rest of `whole`, all of the same dimensions (API
// Gateway developer guide, "Amazon API Gateway dimensions and metrics": "The Average statistic represents the 5XXError
// error rate, namely, the total count of the 5XXError errors divided by the total number of requests").
struct Part {
  std::string_view name_space;
  std::string_view name;
  std::vector<std::string_view> whole;
};
const std::array kParts{
    Part{"AWS/ApiGateway", "4XXError", {"Count"}},
    Part{"AWS/ApiGateway", "5XXError", {"Count"}},
    Part{"AWS/ApiGateway", "CacheHitCount", {"CacheHitCount", "CacheMissCount"}},
    Part{"AWS/ApiGateway", "CacheMissCount", {"CacheHitCount", "CacheMissCount"}},
    Part{"AWS/Lambda", "Errors", {"Invocations"}},
    Part{"AWS/Lambda", "Throttles", {"Invocations", "Throttles"}},
};

const Part* part_of(const telemetry::Metric& metric) {
  const auto found = std::ranges::find_if(
      kParts, [&](const Part& part) { return part.name_space == metric.name_space && part.name == metric.name; });
  return found == kParts.end() ? nullptr : &*found;
}

bool is_whole(const telemetry::Metric& metric) {
  return std::ranges::any_of(kParts, [&](const Part& part) {
    return part.name_space == metric.name_space && std::ranges::find(part.whole, metric.name) != part.whole.end();
  });
}

MetricId metric_of(const telemetry::Registry::Series& series) {
  MetricId metric{std::string(series.metric->name_space), std::string(series.metric->name), series.dimensions};
  std::ranges::sort(metric.dimensions);
  return metric;
}

bool has_exactly(const telemetry::Dimensions& dimensions, const std::vector<std::string_view>& names) {
  return dimensions.size() == names.size() && std::ranges::all_of(dimensions, [&](const auto& dimension) {
           return std::ranges::find(names, dimension.first) != names.end();
         });
}

std::vector<MetricId> metrics_of(const telemetry::Registry::Series& series) {
  const MetricId metric = metric_of(series);
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
  const auto fresh = registry_.series_after(sources_.size());
  if (fresh.empty()) return;
  for (const auto* series : fresh) {
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
    if (series->counter && is_whole(*series->metric)) wholes_[metric_of(*series)] = series->counter;
    sources_.push_back(std::move(source));
  }
  for (auto& source : sources_) find_whole(source);
}

// A part's whole may be made after it: asked again until all of it is there.
void Collector::find_whole(Source& source) const {
  const Part* part = source.series->counter && source.whole.empty() ? part_of(*source.series->metric) : nullptr;
  if (!part) return;
  MetricId metric = metric_of(*source.series);
  std::vector<const telemetry::Counter*> whole;
  for (const auto name : part->whole) {
    metric.name = name;
    const auto found = wholes_.find(metric);
    if (found == wholes_.end()) return;
    whole.push_back(found->second);
  }
  source.whole = std::move(whole);
}

Summary Collector::news_of(Source& source) {
  Summary news;
  const auto& series = *source.series;
  if (series.counter) {
    const std::uint64_t total = series.counter->total();
    const std::uint64_t amount = total - source.counted;
    source.counted = total;
    if (amount > 0) {
      const bool events = series.metric->unit == telemetry::Unit::kCount;
      news.add(events ? 1 : static_cast<double>(amount), events ? amount : 1);
    }
    if (!source.whole.empty()) {
      std::uint64_t all = 0;
      for (const auto* counter : source.whole) all += counter->total();
      // The part is read first, so that what is counted meanwhile is a 0 now and a 1 in the next second at most once.
      const std::uint64_t whole = all - source.whole_counted;
      source.whole_counted = all;
      if (whole > amount) news.add(0, whole - amount);
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
