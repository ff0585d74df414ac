// The Terraform types of CloudWatch's alarms and dashboards.
#include <fmt/format.h>

#include <algorithm>

#include "monitoring/alarms.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/dashboards.h"
#include "stack/declare.h"
#include "stack/stack.h"

namespace securebase::monitoring {

namespace {

using stack::Context;
using Texts = std::vector<std::string>;
using Map = std::map<std::string, std::string>;

struct QueryMetric {
  std::string metric_name;
  std::optional<std::string> name_space;
  std::int64_t period = 0;
  std::string stat;
  std::optional<std::string> unit;
  Map dimensions;
};

struct Query {
  std::string id;
  std::optional<std::string> expression;
  std::optional<std::string> label;
  std::optional<std::int64_t> period;
  bool return_data = false;
  std::optional<QueryMetric> metric;
};

struct MetricAlarm {
  std::string name;
  std::optional<std::string> description;
  bool actions_enabled = true;
  Texts ok_actions, alarm_actions, insufficient_data_actions;
  std::string comparison;
  std::int64_t evaluation_periods = 0;
  std::optional<std::int64_t> datapoints_to_alarm;
  std::optional<double> threshold;
  std::optional<std::string> threshold_metric_id;
  std::optional<std::string> metric_name, name_space, statistic, extended_statistic, unit;
  std::optional<std::int64_t> period;
  Map dimensions;
  std::vector<Query> queries;
  std::string treat_missing_data;
  std::optional<std::string> low_samples;
  Map tags;
};

struct Suppressor {
  std::string alarm;
  std::int64_t wait_period = 0;
  std::int64_t extension_period = 0;
};

struct CompositeAlarm {
  std::string name;
  std::optional<std::string> description;
  bool actions_enabled = true;
  Texts ok_actions, alarm_actions, insufficient_data_actions;
  std::string rule;
  std::optional<Suppressor> suppressor;
  Map tags;
};

struct Dashboard {
  std::string name;
  std::string body;
};

constexpr const char* kKeepsState = "starts a new evaluation; the state stays until then";

const auto& metric_alarm() {
  static const auto metric =
      stack::block<QueryMetric>("metric", "A statistic of a metric.")
          .required("metric_name", &QueryMetric::metric_name, "Its name.")
          .attribute("namespace", &QueryMetric::name_space, std::nullopt, "Its namespace.")
          .required("period", &QueryMetric::period, stack::between(1, 86'400), "Seconds of a point.")
          .required("stat", &QueryMetric::stat, "Average, Sum, p95, TM(10%:90%), ...")
          .attribute("unit", &QueryMetric::unit, std::nullopt, "Only data of this unit.")
          .attribute("dimensions", &QueryMetric::dimensions, {}, "All its dimensions.");
  static const auto query =
      stack::block<Query>("metric_query", "A metric, or an expression over the others.")
          .required("id", &Query::id, stack::matches("[a-z][a-zA-Z0-9_]*"), "By which expressions name it.")
          .attribute("expression", &Query::expression, std::nullopt, "Metric math.")
          .attribute("label", &Query::label, std::nullopt, "What it is, for people.")
          .attribute("period", &Query::period, std::nullopt, "Seconds of a point of the expression.")
          .attribute("return_data", &Query::return_data, false, "Whether this is what the alarm is about.")
          .nested(metric, &Query::metric, "The metric, when it is none of the others' expression.")
          .known("account_id", "there is one account");
  static const auto made =
      stack::resource<MetricAlarm>("aws_cloudwatch_metric_alarm", "monitoring",
                                   "An alarm on a metric or an expression.")
          .required("alarm_name", &MetricAlarm::name, stack::length(1, 255), "Its name.")
          .replaces()
          .attribute("alarm_description", &MetricAlarm::description, std::nullopt, "What it means, for people.")
          .attribute("actions_enabled", &MetricAlarm::actions_enabled, true, "Whether a change of state does anything.")
          .attribute("ok_actions", &MetricAlarm::ok_actions, {}, "ARNs: what happens when it is OK again.")
          .attribute("alarm_actions", &MetricAlarm::alarm_actions, {}, "ARNs: what happens in ALARM.")
          .attribute("insufficient_data_actions", &MetricAlarm::insufficient_data_actions, {},
                     "ARNs: what happens without data.")
          .required("comparison_operator", &MetricAlarm::comparison,
                    stack::one_of({"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold",
                                   "LessThanOrEqualToThreshold", "LessThanLowerOrGreaterThanUpperThreshold",
                                   "LessThanLowerThreshold", "GreaterThanUpperThreshold"}),
                    "What is a breach.")
          .effect(kKeepsState)
          .required("evaluation_periods", &MetricAlarm::evaluation_periods, stack::at_least(1),
                    "N: how many points are looked at.")
          .effect(kKeepsState)
          .attribute("datapoints_to_alarm", &MetricAlarm::datapoints_to_alarm, std::nullopt, stack::at_least(1),
                     "M: how many of them have to breach; all when not set.")
          .attribute("threshold", &MetricAlarm::threshold, std::nullopt, "What a point is compared with.")
          .effect(kKeepsState)
          .attribute("threshold_metric_id", &MetricAlarm::threshold_metric_id, std::nullopt,
                     "The band it is compared with.")
          .attribute("metric_name", &MetricAlarm::metric_name, std::nullopt, "The metric's name.")
          .attribute("namespace", &MetricAlarm::name_space, std::nullopt, "The metric's namespace.")
          .attribute("dimensions", &MetricAlarm::dimensions, {}, "All the metric's dimensions.")
          .attribute("period", &MetricAlarm::period, std::nullopt,
                     "Seconds of a point: 10, 20, 30 or a multiple of 60.")
          .attribute("statistic", &MetricAlarm::statistic, std::nullopt,
                     stack::one_of({"SampleCount", "Average", "Sum", "Minimum", "Maximum"}), "What of the metric.")
          .attribute("extended_statistic", &MetricAlarm::extended_statistic, std::nullopt, "p95, TM(10%:90%), ...")
          .attribute("unit", &MetricAlarm::unit, std::nullopt, "Only data of this unit.")
          .attribute("treat_missing_data", &MetricAlarm::treat_missing_data, "missing",
                     stack::one_of({"missing", "ignore", "breaching", "notBreaching"}),
                     "What a period without data means.")
          .attribute("evaluate_low_sample_count_percentiles", &MetricAlarm::low_samples, std::nullopt,
                     stack::one_of({"evaluate", "ignore"}), "ignore: a percentile of few samples changes nothing.")
          .attribute("tags", &MetricAlarm::tags, {}, "Labels; securebase:... are settings (docs/alarms.md).")
          .nested(query, &MetricAlarm::queries,
                  "Metrics and expressions, instead of metric_name and what goes with it.")
          .computed("id", [](const MetricAlarm& a) { return a.name; })
          .computed("arn",
                    [](const MetricAlarm& a, const Context& c) { return c.arn("cloudwatch", "alarm:" + a.name); });
  return made;
}

const auto& composite_alarm() {
  static const auto suppressor =
      stack::block<Suppressor>("actions_suppressor", "An alarm that holds the actions back.")
          .required("alarm", &Suppressor::alarm, "Its name or ARN.")
          .required("wait_period", &Suppressor::wait_period, stack::at_least(0), "Seconds to wait for it.")
          .required("extension_period", &Suppressor::extension_period, stack::at_least(0),
                    "Seconds it counts after it has left ALARM.");
  static const auto made =
      stack::resource<CompositeAlarm>("aws_cloudwatch_composite_alarm", "monitoring", "An alarm on other alarms.")
          .required("alarm_name", &CompositeAlarm::name, stack::length(1, 255), "Its name.")
          .replaces()
          .attribute("alarm_description", &CompositeAlarm::description, std::nullopt, "What it means, for people.")
          .attribute("actions_enabled", &CompositeAlarm::actions_enabled, true,
                     "Whether a change of state does anything.")
          .attribute("ok_actions", &CompositeAlarm::ok_actions, {}, "ARNs: what happens when it is OK again.")
          .attribute("alarm_actions", &CompositeAlarm::alarm_actions, {}, "ARNs: what happens in ALARM.")
          .attribute("insufficient_data_actions", &CompositeAlarm::insufficient_data_actions, {},
                     "ARNs: what happens without data.")
          .required("alarm_rule", &CompositeAlarm::rule,
                    "ALARM(a) AND NOT ALARM(b), AT_LEAST(2, ALARM, (a, b, c)), ...")
          .nested(suppressor, &CompositeAlarm::suppressor, "What holds the actions back.")
          .attribute("tags", &CompositeAlarm::tags, {}, "Labels; securebase:... are settings (docs/alarms.md).")
          .computed("id", [](const CompositeAlarm& a) { return a.name; })
          .computed("arn",
                    [](const CompositeAlarm& a, const Context& c) { return c.arn("cloudwatch", "alarm:" + a.name); });
  return made;
}

const auto& dashboard() {
  static const auto made =
      stack::resource<Dashboard>("aws_cloudwatch_dashboard", "monitoring", "Graphs that belong together.")
          .required("dashboard_name", &Dashboard::name, stack::matches("[A-Za-z0-9_-]{1,255}"), "Its name.")
          .replaces()
          .required("dashboard_body", &Dashboard::body, "Its widgets, as CloudWatch's JSON.")
          .computed("id", [](const Dashboard& d) { return d.name; })
          .computed("dashboard_arn", [](const Dashboard& d, const Context& c) {
            return fmt::format("arn:{}:cloudwatch::{}:dashboard/{}", c.partition, c.account, d.name);
          });
  return made;
}

MetricId metric_id(const std::optional<std::string>& name_space, const std::string& name, const Map& dimensions) {
  return {name_space.value_or(""), name, {dimensions.begin(), dimensions.end()}};
}

template <class Written>
AlarmDefinition common(const Written& written) {
  AlarmDefinition made;
  made.name = written.name;
  made.description = written.description.value_or("");
  made.actions_enabled = written.actions_enabled;
  made.ok_actions = written.ok_actions;
  made.alarm_actions = written.alarm_actions;
  made.insufficient_data_actions = written.insufficient_data_actions;
  // Sets, in Terraform: their order says nothing.
  for (auto* actions : {&made.ok_actions, &made.alarm_actions, &made.insufficient_data_actions}) {
    std::sort(actions->begin(), actions->end());
  }
  made.tags = written.tags;
  return made;
}

Result<AlarmDefinition> definition_of(const MetricAlarm& written) {
  AlarmDefinition made = common(written);
  MetricRule rule;
  if (written.metric_name) {
    if (written.statistic.has_value() == written.extended_statistic.has_value()) {
      return Error{Errc::kMalformed, "Either statistic or extended_statistic is set, not both."};
    }
    rule.metric = MetricStat{metric_id(written.name_space, *written.metric_name, written.dimensions),
                             std::chrono::seconds(written.period.value_or(0)),
                             written.statistic ? *written.statistic : *written.extended_statistic, written.unit};
  }
  for (const auto& query : written.queries) {
    DataQuery one;
    one.id = query.id;
    if (query.metric) {
      one.metric_stat =
          MetricStat{metric_id(query.metric->name_space, query.metric->metric_name, query.metric->dimensions),
                     std::chrono::seconds(query.metric->period), query.metric->stat, query.metric->unit};
    }
    one.expression = query.expression.value_or("");
    one.label = query.label.value_or("");
    one.return_data = query.return_data;
    if (query.period) one.period = std::chrono::seconds(*query.period);
    rule.metrics.push_back(std::move(one));
  }
  rule.evaluation_periods = static_cast<int>(std::min<std::int64_t>(written.evaluation_periods, 100'000));
  rule.datapoints_to_alarm = static_cast<int>(std::min<std::int64_t>(written.datapoints_to_alarm.value_or(0), 100'001));
  // The provider demands a threshold only where there is no band.
  rule.threshold = written.threshold;
  rule.threshold_metric_id = written.threshold_metric_id.value_or("");
  rule.comparison = *comparison_from(written.comparison);
  rule.missing = missing_from(written.treat_missing_data);
  // The default of the provider says nothing, so that the default of tables' metrics holds.
  if (written.treat_missing_data == "missing") rule.missing.reset();
  rule.ignore_low_samples = written.low_samples == "ignore";
  made.rule = std::move(rule);
  if (auto valid = validate(made); !valid) return valid.error();
  return made;
}

Result<AlarmDefinition> definition_of(const CompositeAlarm& written) {
  AlarmDefinition made = common(written);
  CompositeRule rule;
  rule.rule = written.rule;
  if (written.suppressor) {
    rule.suppressor = written.suppressor->alarm;
    rule.wait = std::chrono::seconds(written.suppressor->wait_period);
    rule.extension = std::chrono::seconds(written.suppressor->extension_period);
  }
  made.rule = std::move(rule);
  if (auto valid = validate(made); !valid) return valid.error();
  return made;
}

}  // namespace

void declare_alarms(stack::Catalogue& catalogue) {
  catalogue.add(metric_alarm());
  catalogue.add(composite_alarm());
  catalogue.add(dashboard());
}

Result<std::shared_ptr<const AlarmsConfig>, stack::Diagnostics> configure_alarms(const stack::Stack& stack) {
  auto made = std::make_shared<AlarmsConfig>();
  stack::Diagnostics problems;
  std::map<std::string, std::string> names;
  const auto add = [&](const auto& found) {
    auto definition = definition_of(found.value);
    if (!definition) {
      problems.error("Invalid alarm", fmt::format("{}: {}", found.resource.address, definition.error().message),
                     found.resource.range());
      return;
    }
    const auto [at, is_new] = names.try_emplace(definition->name, found.resource.address);
    if (!is_new) {
      problems.error(
          "Alarm declared twice",
          fmt::format("{} and {} are both the alarm \"{}\".", at->second, found.resource.address, definition->name),
          found.resource.range());
      return;
    }
    made->alarms.push_back(std::move(*definition));
  };
  for (const auto& found : stack.all<MetricAlarm>("aws_cloudwatch_metric_alarm")) add(found);
  for (const auto& found : stack.all<CompositeAlarm>("aws_cloudwatch_composite_alarm")) add(found);
  for (const auto& found : stack.all<Dashboard>("aws_cloudwatch_dashboard")) {
    const auto check = check_dashboard(found.value.body);
    for (const auto& [path, message] : check.errors) {
      problems.error("Invalid dashboard", fmt::format("{}: {}: {}", found.resource.address, path, message),
                     found.resource.range());
    }
    for (const auto& [path, message] : check.warnings) {
      problems.warning("Dashboard", fmt::format("{}: {}: {}", found.resource.address, path, message),
                       found.resource.range());
    }
    made->dashboards.push_back({found.value.name, found.value.body});
  }
  if (problems.has_errors()) return problems;
  return std::shared_ptr<const AlarmsConfig>(std::move(made));
}

}  // namespace securebase::monitoring
