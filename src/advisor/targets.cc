// The eleven rows. A row is a declaration (kRows): which metric, which statistic, against which limit, on how many
// samples. Everything else is done once for all of them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "advisor/advisor.h"

namespace securebase::advisor {

namespace {

enum class Better { kLower, kHigher };

struct Declared {
  std::string_view name;
  std::string_view target;
  Better better;
  double limit;  // the value has to be on the better side of it; for uptime, on it is enough
  bool at_limit_passes;
  std::string_view unit;
  // Percentiles of n samples say something once there are 10/(1-p) of them (CloudWatch's own rule for alarms on
  // percentiles of few samples); rates once one sample less would not turn the verdict.
  std::uint64_t samples_needed;

  std::string_view name_space;
  std::string_view metric;
  std::string_view dimension;  // series with exactly this dimension; the worst of them counts
  std::string_view statistic;
  std::string_view measured;
};

constexpr std::string_view kGateway = "gateway, every request, authorizer included";
constexpr std::array<Declared, 11> kRows{{
    {"API p50 latency", "< 50 ms", Better::kLower, 50, false, "ms", 20, "AWS/ApiGateway", "Latency", "ApiName", "p50",
     kGateway},
    {"API p95 latency", "< 100 ms", Better::kLower, 100, false, "ms", 200, "AWS/ApiGateway", "Latency", "ApiName",
     "p95", kGateway},
    {"API p99 latency", "< 200 ms", Better::kLower, 200, false, "ms", 1000, "AWS/ApiGateway", "Latency", "ApiName",
     "p99", kGateway},
    {"Page load time (p95)", "< 2 s", Better::kLower, 2000, false, "ms", 200, "AWS/RUM", "PageLoadTime",
     "application_name", "p95", "visitors' browsers, every page load that they reported"},
    {"Time to First Byte", "< 200 ms", Better::kLower, 200, false, "ms", 200, "SecureBase/Performance",
     "TimeToFirstByte", "CanaryName", "p95", "prober, another process, a new connection each time"},
    {"Lighthouse Performance", "> 90", Better::kHigher, 90, false, "", 5, "SecureBase/Performance",
     "LighthousePerformance", "Url", "p50", "securebase lighthouse, every run in Chromium"},
    {"CloudFront cache hit rate", "> 80 %", Better::kHigher, 80, false, "%", 100, "AWS/CloudFront", "CacheHitRate",
     "DistributionId", "Average", "edge, every cacheable request"},
    {"ElastiCache hit rate", "> 70 %", Better::kHigher, 70, false, "%", 100, "AWS/ElastiCache", "CacheHitRate",
     "ReplicationGroupId", "Average", "Redis, every lookup"},
    {"Lambda cold start", "< 500 ms", Better::kLower, 500, false, "ms", 5, "AWS/Lambda", "InitDuration", "FunctionName",
     "Average", "functions, every cold start"},
    {"Database query time", "< 100 ms", Better::kLower, 100, false, "ms", 100, "SecureBase/Performance", "QueryTime",
     "DBClusterIdentifier", "Average", "PostgreSQL, every statement"},
    {"Uptime", ">= 99.95 %", Better::kHigher, 99.95, true, "%", 2000, "CloudWatchSynthetics", "SuccessPercent",
     "CanaryName", "Average", "prober each second, and the gaps of the heartbeat"},
}};

bool passes(const Declared& row, double value) {
  if (row.at_limit_passes && value == row.limit) return true;
  return row.better == Better::kLower ? value < row.limit : value > row.limit;
}

bool worse(const Declared& row, double value, double than) {
  return row.better == Better::kLower ? value > than : value < than;
}

// As an operator types it, for the same window.
std::string command_for(const Declared& row, const monitoring::MetricId& metric, base::TimePoint from,
                        base::TimePoint to, std::chrono::seconds window) {
  // The smallest period that the window fits into, and that CloudWatch has.
  const auto minutes = std::max<std::int64_t>(1, (window.count() + 59) / 60);
  const std::int64_t period = std::min<std::int64_t>(minutes * 60, 86'400);
  std::string command =
      fmt::format("aws cloudwatch get-metric-statistics --namespace {} --metric-name {}", row.name_space, row.metric);
  if (!metric.dimensions.empty()) command += " --dimensions";
  for (const auto& [name, value] : metric.dimensions) command += fmt::format(" Name={},Value={}", name, value);
  return command + fmt::format(" --start-time {} --end-time {} --period {} --statistics {}", base::iso8601(from),
                               base::iso8601(to), period, row.statistic);
}

// Series of this metric whose dimensions are exactly the one that the row asks for.
std::vector<monitoring::MetricId> series_of(const Declared& row, const monitoring::Series& series) {
  monitoring::MetricFilter filter;
  filter.name_space = row.name_space;
  filter.name = row.metric;
  filter.dimensions.emplace_back(row.dimension, std::nullopt);
  auto found = series.list(filter);
  std::erase_if(found, [](const monitoring::MetricId& metric) { return metric.dimensions.size() != 1; });
  return found;
}

struct Measured {
  monitoring::MetricId metric;
  monitoring::Point point;
};

// The series that decides: the worst of those with enough samples, else the one with most.
std::optional<Measured> deciding(const Declared& row, const std::vector<Measured>& all) {
  std::optional<Measured> chosen;
  const auto enough = [&row](const Measured& one) { return one.point.samples >= row.samples_needed; };
  for (const auto& one : all) {
    const bool better_choice =
        !chosen || (enough(one) && !enough(*chosen)) ||
        (enough(one) == enough(*chosen) &&
         (enough(one) ? worse(row, one.point.value, chosen->point.value) : one.point.samples > chosen->point.samples));
    if (better_choice) chosen = one;
  }
  return chosen;
}

Row measure(const Declared& declared, const monitoring::Series& series, base::TimePoint now,
            std::chrono::seconds window) {
  Row row;
  row.name = declared.name;
  row.target = declared.target;
  row.unit = declared.unit;
  row.samples_needed = declared.samples_needed;
  row.measured = declared.measured;
  std::vector<Measured> all;
  for (auto& metric : series_of(declared, series)) {
    monitoring::MetricQuery query;
    query.metric = metric;
    query.statistic = declared.statistic;
    // Outwards to whole minutes: older samples are kept by the minute, and the one that runs now counts.
    query.from = std::chrono::floor<std::chrono::minutes>(now - window);
    query.to = std::chrono::ceil<std::chrono::minutes>(now);
    auto point = series.whole(query);
    if (!point) {
      row.note = point.error().message;
    } else if (*point && (*point)->samples > 0) {
      all.push_back({std::move(metric), **point});
    }
  }
  const auto chosen = deciding(declared, all);
  if (!chosen) {
    row.verdict = Verdict::kNoData;
    return row;
  }
  row.value = chosen->point.value;
  row.samples = chosen->point.samples;
  row.evidence = command_for(declared, chosen->metric, now - window, now, window);
  if (row.samples < declared.samples_needed) {
    row.verdict = Verdict::kTooFew;
  } else {
    row.verdict = passes(declared, *row.value) ? Verdict::kPass : Verdict::kFail;
  }
  const auto& dimension = chosen->metric.dimensions.front().second;
  row.measured = fmt::format("{} ({})", declared.measured, dimension);
  if (all.size() > 1) {
    row.note = fmt::format("{} of {}, the {}", dimension, all.size(),
                           row.verdict == Verdict::kTooFew ? "one with most samples" : "worst");
  }
  return row;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kTooFew:
      return "too few samples";
    case Verdict::kNoData:
      return "no data";
  }
  return "";
}

std::vector<Row> targets(const monitoring::Series& series, base::TimePoint now, std::chrono::seconds window) {
  std::vector<Row> rows;
  rows.reserve(kRows.size());
  for (const auto& declared : kRows) rows.push_back(measure(declared, series, now, window));
  return rows;
}

int exit_code(const std::vector<Row>& rows) {
  return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.verdict == Verdict::kPass; }) ? 0 : 1;
}

}  // namespace securebase::advisor
