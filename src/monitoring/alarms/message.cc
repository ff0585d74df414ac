#include "monitoring/alarms/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/judge.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {

namespace {

using base::Json;
using namespace std::chrono_literals;

constexpr std::size_t kSubject = 100;  // SNS

std::string upper(std::string_view text) {
  std::string made(text);
  for (auto& c : made) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return made;
}

// As CloudWatch's notifications have it: names in lower case, and the statistic in capitals.
Json dimensions_of(const MetricId& metric) {
  Json made = Json::array();
  for (const auto& [name, value] : metric.dimensions) made.push_back(Json::object({{"value", value}, {"name", name}}));
  return made;
}

Json trigger_of(const MetricRule& rule) {
  Json made = Json::object();
  if (rule.metric) {
    const auto& stat = rule.metric->stat;
    const bool basic =
        stat == "SampleCount" || stat == "Average" || stat == "Sum" || stat == "Minimum" || stat == "Maximum";
    made.set("MetricName", rule.metric->metric.name);
    made.set("Namespace", rule.metric->metric.name_space);
    made.set("StatisticType", basic ? "Statistic" : "ExtendedStatistic");
    made.set(basic ? "Statistic" : "ExtendedStatistic", basic ? upper(stat) : stat);
    made.set("Unit", rule.metric->unit ? Json(*rule.metric->unit) : Json());
    made.set("Dimensions", dimensions_of(rule.metric->metric));
  }
  if (!rule.metrics.empty()) {
    Json metrics = Json::array();
    for (const auto& query : rule.metrics) metrics.push_back(to_json(query));
    made.set("Metrics", std::move(metrics));
  }
  const auto period = rule.metric ? rule.metric->period : [&] {
    for (const auto& query : rule.metrics) {
      if (query.metric_stat) return query.metric_stat->period;
    }
    return 60s;
  }();
  made.set("Period", period.count());
  made.set("EvaluationPeriods", rule.evaluation_periods);
  made.set("DatapointsToAlarm", rule.datapoints_to_alarm > 0 ? rule.datapoints_to_alarm : rule.evaluation_periods);
  made.set("ComparisonOperator", to_string(rule.comparison));
  if (rule.threshold) made.set("Threshold", *rule.threshold);
  if (!rule.threshold_metric_id.empty()) made.set("ThresholdMetricId", rule.threshold_metric_id);
  made.set("TreatMissingData", rule.missing ? to_string(*rule.missing) : std::string_view("missing"));
  made.set("EvaluateLowSampleCountPercentile", rule.ignore_low_samples ? "ignore" : "");
  return made;
}

std::string message_of(const AlarmView& alarm, const Occasion& occasion) {
  const auto& definition = alarm.definition;
  Json made =
      Json::object({{"AlarmName", definition.name},
                    {"AlarmDescription", definition.description.empty() ? Json() : Json(definition.description)},
                    {"AWSAccountId", occasion.account},
                    {"AlarmConfigurationUpdatedTimestamp", json_time(alarm.status.configured)},
                    {"NewStateValue", to_string(alarm.status.state)},
                    {"NewStateReason", alarm.status.reason},
                    {"StateChangeTime", json_time(alarm.status.transitioned)},
                    {"Region", region_name(occasion.region)},
                    {"AlarmArn", alarm.arn},
                    {"OldStateValue", to_string(occasion.before)},
                    {"OKActions", texts(definition.ok_actions)},
                    {"AlarmActions", texts(definition.alarm_actions)},
                    {"InsufficientDataActions", texts(definition.insufficient_data_actions)}});
  if (const auto* composite = std::get_if<CompositeRule>(&definition.rule)) {
    made.set("AlarmRule", composite->rule);
    if (auto data = Json::parse(alarm.status.reason_data)) made.set("TriggeringChildren", (*data)["triggeringAlarms"]);
  } else {
    made.set("Trigger", trigger_of(std::get<MetricRule>(definition.rule)));
  }
  return made.dump();
}

std::string_view headline(const AlarmView& alarm, Telling telling) {
  switch (telling) {
    case Telling::kFlapping:
      return "FLAPPING";
    case Telling::kReminder:
      return "STILL IN ALARM";
    default:
      return to_string(alarm.status.state);
  }
}

std::string condition_of(const MetricRule& rule) {
  const int n = rule.evaluation_periods;
  const int m = rule.datapoints_to_alarm > 0 ? rule.datapoints_to_alarm : n;
  const auto limit = rule.threshold ? java_double(*rule.threshold) : "the band " + rule.threshold_metric_id;
  return fmt::format("{} {} in {} of {} periods", to_string(rule.comparison), limit, m, n);
}

std::string plain_text_of(const AlarmView& alarm, const Occasion& occasion) {
  const auto& definition = alarm.definition;
  std::string text = fmt::format("{}: {}\n\n", headline(alarm, occasion.telling), definition.name);
  if (!definition.description.empty()) text += definition.description + "\n";
  text += fmt::format("What:      {}\n", subject_of(definition));
  if (const auto* rule = std::get_if<MetricRule>(&definition.rule)) {
    if (occasion.value) text += fmt::format("Value:     {}\n", java_double(*occasion.value));
    text += fmt::format("Condition: {}\n", condition_of(*rule));
  }
  text += fmt::format("Since:     {} ({} before)\n", long_time(alarm.status.transitioned), to_string(occasion.before));
  text += fmt::format("Why:       {}\n", alarm.status.reason);
  if (occasion.telling == Telling::kFlapping) {
    text += "Messages about it are held back until it is calm again.\n";
  }
  if (!occasion.incident.empty()) {
    text += "Incident:  also in ALARM:";
    for (const auto& other : occasion.incident) text += " " + other;
    text += "\n";
  }
  return text + fmt::format("\nSee:       {}\nHistory:   aws cloudwatch describe-alarm-history --alarm-name '{}'\n",
                            evidence_of(definition, alarm.status.transitioned, occasion.now), definition.name);
}

std::string in_quotes(std::string_view text) {
  std::string made = "'";
  for (const char c : text) made += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return made + "'";
}

}  // namespace

std::string region_name(std::string_view region) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"us-east-1", "US East (N. Virginia)"},
                                                                      {"us-east-2", "US East (Ohio)"},
                                                                      {"us-west-1", "US West (N. California)"},
                                                                      {"us-west-2", "US West (Oregon)"},
                                                                      {"ca-central-1", "Canada (Central)"},
                                                                      {"eu-central-1", "EU (Frankfurt)"},
                                                                      {"eu-west-1", "EU (Ireland)"},
                                                                      {"eu-west-2", "EU (London)"},
                                                                      {"eu-west-3", "EU (Paris)"},
                                                                      {"eu-north-1", "EU (Stockholm)"},
                                                                      {"ap-southeast-1", "Asia Pacific (Singapore)"},
                                                                      {"ap-southeast-2", "Asia Pacific (Sydney)"},
                                                                      {"ap-northeast-1", "Asia Pacific (Tokyo)"},
                                                                      {"ap-south-1", "Asia Pacific (Mumbai)"},
                                                                      {"sa-east-1", "South America (Sao Paulo)"}};
  for (const auto& [code, name] : kNames) {
    if (code == region) return std::string(name);
  }
  return std::string(region);
}

std::string subject_of(const AlarmDefinition& definition) {
  if (const auto* composite = std::get_if<CompositeRule>(&definition.rule)) return composite->rule;
  const auto& rule = std::get<MetricRule>(definition.rule);
  const auto named = [](const MetricStat& stat) {
    std::string dimensions;
    for (const auto& [name, value] : stat.metric.dimensions) {
      dimensions += fmt::format("{}{}={}", dimensions.empty() ? "" : ", ", name, value);
    }
    return fmt::format("{} of {} {}{}, periods of {} s", stat.stat, stat.metric.name_space, stat.metric.name,
                       dimensions.empty() ? "" : fmt::format(" {{{}}}", dimensions), stat.period.count());
  };
  if (rule.metric) return named(*rule.metric);
  std::string text;
  for (const auto& query : rule.metrics) {
    if (query.return_data && query.id != rule.threshold_metric_id) {
      text = query.metric_stat ? named(*query.metric_stat) : query.expression;
    }
  }
  for (const auto& query : rule.metrics) {
    if (query.metric_stat && text.find(query.id) != std::string::npos)
      text += fmt::format("; {}: {}", query.id, named(*query.metric_stat));
  }
  return text;
}

std::string evidence_of(const AlarmDefinition& definition, base::TimePoint since, base::TimePoint now) {
  const auto from = base::iso8601(std::chrono::floor<std::chrono::minutes>(std::min(since, now) - 1h));
  const auto to = base::iso8601(std::chrono::ceil<std::chrono::minutes>(now));
  if (definition.is_composite()) {
    return fmt::format("aws cloudwatch describe-alarms --children-of-alarm-name {}", in_quotes(definition.name));
  }
  const auto& rule = std::get<MetricRule>(definition.rule);
  if (!rule.metric) {
    Json queries = Json::array();
    for (const auto& query : rule.metrics) queries.push_back(to_json(query));
    return fmt::format("aws cloudwatch get-metric-data --start-time {} --end-time {} --metric-data-queries {}", from,
                       to, in_quotes(queries.dump()));
  }
  const auto& stat = *rule.metric;
  std::string command = fmt::format("aws cloudwatch get-metric-statistics --namespace {} --metric-name {}",
                                    in_quotes(stat.metric.name_space), in_quotes(stat.metric.name));
  if (!stat.metric.dimensions.empty()) {
    command += " --dimensions";
    for (const auto& [name, value] : stat.metric.dimensions)
      command += fmt::format(" {}", in_quotes("Name=" + name + ",Value=" + value));
  }
  const bool basic = samples_needed(stat.stat) == std::nullopt && stat.stat.find('(') == std::string::npos;
  return command + fmt::format(" --start-time {} --end-time {} --period {} {} {}", from, to, stat.period.count(),
                               basic ? "--statistics" : "--extended-statistics", in_quotes(stat.stat));
}

AlarmNotification notification_of(const AlarmView& alarm, const Occasion& occasion) {
  AlarmNotification made;
  made.id = base::random_uuid();
  made.alarm = alarm.definition.name;
  made.alarm_arn = alarm.arn;
  made.state = alarm.status.state;
  made.time = occasion.now;
  made.subject = cut(fmt::format("{}: \"{}\" in {}", headline(alarm, occasion.telling), alarm.definition.name,
                                 region_name(occasion.region)),
                     kSubject);
  made.message = message_of(alarm, occasion);
  made.text = plain_text_of(alarm, occasion);
  return made;
}

}  // namespace securebase::monitoring
