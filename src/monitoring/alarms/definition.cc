// An alarm as CloudWatch's API writes it.
#include "monitoring/alarms/definition.h"

#include <fmt/format.h>

#include "monitoring/alarms.h"

namespace securebase::monitoring {

namespace {

using base::Json;

constexpr std::pair<Comparison, std::string_view> kComparisons[] = {
    {Comparison::kGreaterThanOrEqualToThreshold, "GreaterThanOrEqualToThreshold"},
    {Comparison::kGreaterThanThreshold, "GreaterThanThreshold"},
    {Comparison::kLessThanThreshold, "LessThanThreshold"},
    {Comparison::kLessThanOrEqualToThreshold, "LessThanOrEqualToThreshold"},
    {Comparison::kLessThanLowerOrGreaterThanUpperThreshold, "LessThanLowerOrGreaterThanUpperThreshold"},
    {Comparison::kLessThanLowerThreshold, "LessThanLowerThreshold"},
    {Comparison::kGreaterThanUpperThreshold, "GreaterThanUpperThreshold"}};

constexpr std::pair<MissingData, std::string_view> kMissings[] = {{MissingData::kMissing, "missing"},
                                                                  {MissingData::kIgnore, "ignore"},
                                                                  {MissingData::kBreaching, "breaching"},
                                                                  {MissingData::kNotBreaching, "notBreaching"}};

bool is_basic(std::string_view stat) {
  return stat == "SampleCount" || stat == "Average" || stat == "Sum" || stat == "Minimum" || stat == "Maximum";
}

std::vector<std::string> texts_from(const Json& json) {
  std::vector<std::string> made;
  if (const auto* list = json.as_array()) {
    for (const auto& one : *list) made.emplace_back(one.string_or(""));
  }
  return made;
}

Json dimensions_json(const MetricId& metric) {
  Json made = Json::array();
  for (const auto& [name, value] : metric.dimensions) made.push_back(Json::object({{"Name", name}, {"Value", value}}));
  return made;
}

std::vector<std::pair<std::string, std::string>> dimensions_from(const Json& json) {
  std::vector<std::pair<std::string, std::string>> made;
  if (const auto* list = json.as_array()) {
    for (const auto& one : *list) {
      made.emplace_back(std::string(one["Name"].string_or("")), std::string(one["Value"].string_or("")));
    }
  }
  std::sort(made.begin(), made.end());
  return made;
}

}  // namespace

base::Json texts(const std::vector<std::string>& list) {
  Json made = Json::array();
  for (const auto& one : list) made.push_back(one);
  return made;
}

std::string_view to_string(AlarmState state) {
  return state == AlarmState::kOk ? "OK" : state == AlarmState::kAlarm ? "ALARM" : "INSUFFICIENT_DATA";
}

std::optional<AlarmState> alarm_state_from(std::string_view text) {
  for (const auto state : {AlarmState::kOk, AlarmState::kAlarm, AlarmState::kInsufficientData}) {
    if (text == to_string(state)) return state;
  }
  return std::nullopt;
}

std::string_view to_string(AlarmHistoryItem::Kind kind) {
  using Kind = AlarmHistoryItem::Kind;
  return kind == Kind::kAction ? "Action" : kind == Kind::kStateUpdate ? "StateUpdate" : "ConfigurationUpdate";
}

std::string_view to_string(Comparison comparison) { return kComparisons[static_cast<std::size_t>(comparison)].second; }
std::string_view to_string(MissingData missing) { return kMissings[static_cast<std::size_t>(missing)].second; }

std::optional<Comparison> comparison_from(std::string_view text) {
  for (const auto& [value, name] : kComparisons) {
    if (name == text) return value;
  }
  return std::nullopt;
}
std::optional<MissingData> missing_from(std::string_view text) {
  for (const auto& [value, name] : kMissings) {
    if (name == text) return value;
  }
  return std::nullopt;
}

base::Json to_json(const MetricStat& stat) {
  Json metric = Json::object({{"Namespace", stat.metric.name_space}, {"MetricName", stat.metric.name}});
  if (!stat.metric.dimensions.empty()) metric.set("Dimensions", dimensions_json(stat.metric));
  Json made = Json::object({{"Metric", metric}, {"Period", stat.period.count()}, {"Stat", stat.stat}});
  if (stat.unit) made.set("Unit", *stat.unit);
  return made;
}

base::Json to_json(const DataQuery& query) {
  Json made = Json::object({{"Id", query.id}});
  if (query.metric_stat) made.set("MetricStat", to_json(*query.metric_stat));
  if (!query.expression.empty()) made.set("Expression", query.expression);
  if (!query.label.empty()) made.set("Label", query.label);
  made.set("ReturnData", query.return_data);
  if (query.period) made.set("Period", query.period->count());
  return made;
}

Result<MetricStat> metric_stat_from(const base::Json& json) {
  MetricStat made;
  made.metric.name_space = json["Metric"]["Namespace"].string_or("");
  made.metric.name = json["Metric"]["MetricName"].string_or("");
  made.metric.dimensions = dimensions_from(json["Metric"]["Dimensions"]);
  made.period = std::chrono::seconds(json["Period"].integer_or(0));
  made.stat = json["Stat"].string_or("");
  if (const auto* unit = json["Unit"].as_string()) made.unit = *unit;
  if (made.metric.name_space.empty() || made.metric.name.empty()) {
    return malformed("A MetricStat needs a Metric with Namespace and MetricName");
  }
  if (made.stat.empty()) return malformed("A MetricStat needs a Stat");
  if (auto fits = valid_period(made.period); !fits) return fits.error();
  return made;
}

Result<DataQuery> data_query_from(const base::Json& json) {
  DataQuery made;
  made.id = json["Id"].string_or("");
  if (const auto* stat = json.find("MetricStat"); stat && !stat->is_null()) {
    auto read = metric_stat_from(*stat);
    if (!read) return Error{read.error().code, fmt::format("{}: {}", made.id, read.error().message)};
    made.metric_stat = std::move(*read);
  }
  made.expression = json["Expression"].string_or("");
  made.label = json["Label"].string_or("");
  made.return_data = json["ReturnData"].bool_or(true);
  if (const auto period = json["Period"].integer_or(0); period > 0) {
    made.period = std::chrono::seconds(period);
    if (auto fits = valid_period(*made.period); !fits) return fits.error();
  }
  return made;
}

Result<Done> valid_period(std::chrono::seconds period) {
  const auto count = period.count();
  for (const auto small : {1, 5, 10, 20, 30}) {
    if (count == small) return Done{};
  }
  if (count > 0 && count % 60 == 0 && count <= 86'400) return Done{};
  return malformed(fmt::format("Period must be 1, 5, 10, 20, 30 or a multiple of 60 up to 86400; it is {}", count));
}

base::Json to_json(const AlarmDefinition& definition) {
  Json made = Json::object({{"AlarmName", definition.name}});
  if (!definition.description.empty()) made.set("AlarmDescription", definition.description);
  made.set("ActionsEnabled", definition.actions_enabled);
  made.set("OKActions", texts(definition.ok_actions));
  made.set("AlarmActions", texts(definition.alarm_actions));
  made.set("InsufficientDataActions", texts(definition.insufficient_data_actions));
  if (const auto* composite = std::get_if<CompositeRule>(&definition.rule)) {
    made.set("AlarmRule", composite->rule);
    if (!composite->suppressor.empty()) {
      made.set("ActionsSuppressor", composite->suppressor);
      made.set("ActionsSuppressorWaitPeriod", composite->wait.count());
      made.set("ActionsSuppressorExtensionPeriod", composite->extension.count());
    }
  } else {
    const auto& rule = std::get<MetricRule>(definition.rule);
    if (rule.metric) {
      made.set("MetricName", rule.metric->metric.name);
      made.set("Namespace", rule.metric->metric.name_space);
      made.set(is_basic(rule.metric->stat) ? "Statistic" : "ExtendedStatistic", rule.metric->stat);
      made.set("Dimensions", dimensions_json(rule.metric->metric));
      made.set("Period", rule.metric->period.count());
      if (rule.metric->unit) made.set("Unit", *rule.metric->unit);
    }
    made.set("EvaluationPeriods", rule.evaluation_periods);
    if (rule.datapoints_to_alarm > 0) made.set("DatapointsToAlarm", rule.datapoints_to_alarm);
    if (rule.threshold) made.set("Threshold", *rule.threshold);
    if (!rule.threshold_metric_id.empty()) made.set("ThresholdMetricId", rule.threshold_metric_id);
    made.set("ComparisonOperator", to_string(rule.comparison));
    if (rule.missing) made.set("TreatMissingData", to_string(*rule.missing));
    if (rule.ignore_low_samples) made.set("EvaluateLowSampleCountPercentile", "ignore");
    if (!rule.metrics.empty()) {
      Json metrics = Json::array();
      for (const auto& query : rule.metrics) metrics.push_back(to_json(query));
      made.set("Metrics", metrics);
    }
  }
  if (!definition.tags.empty()) {
    Json tags = Json::array();
    for (const auto& [key, value] : definition.tags) tags.push_back(Json::object({{"Key", key}, {"Value", value}}));
    made.set("Tags", tags);
  }
  return made;
}

namespace {

Result<MetricRule> metric_rule_from(const Json& json) {
  MetricRule rule;
  const auto statistic = json["Statistic"].string_or("");
  const auto extended = json["ExtendedStatistic"].string_or("");
  if (json["MetricName"].as_string() || json["Namespace"].as_string()) {
    if (statistic.empty() == extended.empty()) {
      return malformed("Exactly one of Statistic and ExtendedStatistic must be specified");
    }
    if (!statistic.empty() && !is_basic(statistic)) {
      return malformed(
          fmt::format("Statistic is one of SampleCount, Average, Sum, Minimum, Maximum, not {}", statistic));
    }
    MetricStat metric;
    metric.metric.name_space = json["Namespace"].string_or("");
    metric.metric.name = json["MetricName"].string_or("");
    metric.metric.dimensions = dimensions_from(json["Dimensions"]);
    metric.stat = statistic.empty() ? extended : statistic;
    metric.period = std::chrono::seconds(json["Period"].integer_or(0));
    if (const auto* unit = json["Unit"].as_string()) metric.unit = *unit;
    rule.metric = std::move(metric);
  }
  if (const auto* metrics = json["Metrics"].as_array()) {
    for (const auto& one : *metrics) {
      auto query = data_query_from(one);
      if (!query) return query.error();
      rule.metrics.push_back(std::move(*query));
    }
  }
  const auto count = [&](std::string_view name) -> Result<int> {
    const auto number = json[name].integer_or(0);
    if (number < 0 || number > 100'000) return malformed(fmt::format("{} is from 1 to 100000, not {}", name, number));
    return static_cast<int>(number);
  };
  auto periods = count("EvaluationPeriods");
  auto datapoints = count("DatapointsToAlarm");
  if (!periods) return periods.error();
  if (!datapoints) return datapoints.error();
  rule.evaluation_periods = *periods;
  rule.datapoints_to_alarm = *datapoints;
  if (const auto* threshold = json.find("Threshold"); threshold && threshold->is_number()) {
    rule.threshold = threshold->number_or(0);
  }
  rule.threshold_metric_id = json["ThresholdMetricId"].string_or("");
  const auto comparison = comparison_from(json["ComparisonOperator"].string_or(""));
  if (!comparison) {
    return malformed(fmt::format("ComparisonOperator \"{}\" is none", json["ComparisonOperator"].string_or("")));
  }
  rule.comparison = *comparison;
  if (const auto* missing = json["TreatMissingData"].as_string()) {
    rule.missing = missing_from(*missing);
    if (!rule.missing) {
      return malformed(fmt::format("TreatMissingData is missing, ignore, breaching or notBreaching, not {}", *missing));
    }
  }
  if (const auto* low = json["EvaluateLowSampleCountPercentile"].as_string()) {
    if (*low != "ignore" && *low != "evaluate") {
      return malformed(fmt::format("EvaluateLowSampleCountPercentile is evaluate or ignore, not {}", *low));
    }
    rule.ignore_low_samples = *low == "ignore";
  }
  return rule;
}

}  // namespace

Result<AlarmDefinition> alarm_from_json(const base::Json& json) {
  AlarmDefinition made;
  made.name = json["AlarmName"].string_or("");
  made.description = json["AlarmDescription"].string_or("");
  made.actions_enabled = json["ActionsEnabled"].bool_or(true);
  made.ok_actions = texts_from(json["OKActions"]);
  made.alarm_actions = texts_from(json["AlarmActions"]);
  made.insufficient_data_actions = texts_from(json["InsufficientDataActions"]);
  if (const auto* tags = json["Tags"].as_array()) {
    for (const auto& tag : *tags) {
      made.tags[std::string(tag["Key"].string_or(""))] = tag["Value"].string_or("");
    }
  }
  if (const auto* rule = json["AlarmRule"].as_string()) {
    CompositeRule composite;
    composite.rule = *rule;
    composite.suppressor = json["ActionsSuppressor"].string_or("");
    composite.wait = std::chrono::seconds(json["ActionsSuppressorWaitPeriod"].integer_or(0));
    composite.extension = std::chrono::seconds(json["ActionsSuppressorExtensionPeriod"].integer_or(0));
    made.rule = std::move(composite);
  } else {
    auto metric = metric_rule_from(json);
    if (!metric) return metric.error();
    made.rule = std::move(*metric);
  }
  if (auto valid = validate(made); !valid) return valid.error();
  return made;
}

}  // namespace securebase::monitoring
