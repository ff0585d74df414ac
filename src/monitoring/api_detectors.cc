// CloudWatch's operations on anomaly detectors: a detector tells which times a band is not trained on. A band needs
// none.
#include <fmt/format.h>

#include <algorithm>

#include "monitoring/api.h"

namespace securebase::monitoring::api {

namespace {

using aws::Value;
using namespace std::chrono_literals;

// Either the members of the input itself, which are the old form, or SingleMetricAnomalyDetector.
Result<MetricStat, aws::Fault> metric_of(const Value& input) {
  if (!input["MetricMathAnomalyDetector"].is_null()) {
    return aws::Fault{
        "InvalidParameterValue",
        "MetricMathAnomalyDetector is not supported here: ANOMALY_DETECTION_BAND of an expression is trained "
        "without a detector",
        400,
        {}};
  }
  const Value& single = input["SingleMetricAnomalyDetector"];
  const Value& from = single.is_null() ? input : single;
  MetricStat made;
  made.metric.name_space = from["Namespace"].string_or("");
  made.metric.name = from["MetricName"].string_or("");
  made.stat = from["Stat"].string_or("");
  for (const auto& one : from["Dimensions"].elements()) {
    made.metric.dimensions.emplace_back(one["Name"].string_or(""), one["Value"].string_or(""));
  }
  std::sort(made.metric.dimensions.begin(), made.metric.dimensions.end());
  if (made.metric.name_space.empty() || made.metric.name.empty() || made.stat.empty()) {
    return aws::Fault{"MissingParameter", "Namespace, MetricName and Stat are required", 400, {}};
  }
  return made;
}

std::string_view state_of(const AnomalyDetector& detector, const Series& series, base::TimePoint now) {
  MetricQuery query;
  query.metric = detector.metric.metric;
  query.statistic = detector.metric.stat;
  query.period = 300s;
  query.from = now - 24h;
  query.to = now;
  const auto points = series.read(query);
  if (!points || points->empty()) return "PENDING_TRAINING";
  return points->back().start - points->front().start + 300s >= 1h ? "TRAINED" : "TRAINED_INSUFFICIENT_DATA";
}

}  // namespace

aws::Outcome put_anomaly_detector(Alarms& alarms, const aws::Call& call) {
  auto metric = metric_of(call.input);
  if (!metric) return metric.error();
  AnomalyDetector detector;
  detector.metric = std::move(*metric);
  const Value& configuration = call.input["Configuration"];
  detector.timezone = configuration["MetricTimezone"].string_or("");
  for (const auto& range : configuration["ExcludedTimeRanges"].elements()) {
    detector.excluded.emplace_back(range["StartTime"].time_or({}), range["EndTime"].time_or({}));
  }
  if (auto done = alarms.put_detector(std::move(detector)); !done) {
    if (done.error().code == Errc::kMalformed)
      return aws::Fault{"InvalidParameterValue", done.error().message, 400, {}};
    return fault_of(done.error());
  }
  return aws::Answer(Value::structure());
}

aws::Outcome delete_anomaly_detector(Alarms& alarms, const aws::Call& call) {
  auto metric = metric_of(call.input);
  if (!metric) return metric.error();
  if (auto done = alarms.remove_detector(*metric); !done) {
    if (done.error().code == Errc::kNotFound)
      return aws::Fault{"ResourceNotFoundException", done.error().message, 404, {}};
    return fault_of(done.error());
  }
  return aws::Answer(Value::structure());
}

aws::Outcome describe_anomaly_detectors(Alarms& alarms, const Series& series, const aws::Call& call) {
  const Value& input = call.input;
  std::vector<std::pair<std::string, std::string>> dimensions;
  for (const auto& one : input["Dimensions"].elements()) {
    dimensions.emplace_back(one["Name"].string_or(""), one["Value"].string_or(""));
  }
  std::sort(dimensions.begin(), dimensions.end());
  Value list = Value::list();
  for (const auto& detector : alarms.detectors()) {
    const auto& metric = detector.metric.metric;
    if (metric.name_space != input["Namespace"].string_or(metric.name_space)) continue;
    if (metric.name != input["MetricName"].string_or(metric.name)) continue;
    if (!dimensions.empty() && metric.dimensions != dimensions) continue;
    Value made = Value::structure({{"Namespace", metric.name_space}, {"MetricName", metric.name}});
    Value all = Value::list();
    for (const auto& [name, value] : metric.dimensions)
      all.push_back(Value::structure({{"Name", name}, {"Value", value}}));
    made.set("Dimensions", std::move(all));
    made.set("Stat", detector.metric.stat);
    Value single = made;
    Value ranges = Value::list();
    for (const auto& [from, to] : detector.excluded)
      ranges.push_back(Value::structure({{"StartTime", from}, {"EndTime", to}}));
    Value configuration = Value::structure({{"ExcludedTimeRanges", std::move(ranges)}});
    if (!detector.timezone.empty()) configuration.set("MetricTimezone", detector.timezone);
    made.set("Configuration", std::move(configuration));
    made.set("StateValue", state_of(detector, series, call.now));
    made.set("SingleMetricAnomalyDetector", std::move(single));
    list.push_back(std::move(made));
  }
  return aws::Answer(Value::structure({{"AnomalyDetectors", std::move(list)}}));
}

}  // namespace securebase::monitoring::api
