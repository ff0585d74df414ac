// What can be said of one alarm alone, in CloudWatch's words where it has them.
#include <fmt/format.h>

#include <chrono>

#include "monitoring/alarms.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/extensions.h"
#include "monitoring/alarms/rule.h"
#include "monitoring/alarms/watch.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kMostActions = 5;
constexpr std::size_t kMostTags = 50;

Result<Done> validate_metric(const MetricRule& rule, const AlarmDefinition& definition) {
  if (rule.metric.has_value() == !rule.metrics.empty()) {
    return malformed("An alarm has either MetricName, Namespace and a statistic, or Metrics, and not both");
  }
  if (rule.evaluation_periods < 1) return malformed("EvaluationPeriods must be at least 1");
  if (rule.datapoints_to_alarm > rule.evaluation_periods) {
    return malformed(
        fmt::format("DatapointsToAlarm must be less than or equal to EvaluationPeriods: {} is more than {}",
                    rule.datapoints_to_alarm, rule.evaluation_periods));
  }
  if (is_band(rule.comparison) != !rule.threshold_metric_id.empty()) {
    return malformed(
        is_band(rule.comparison)
            ? "A ComparisonOperator of a band needs ThresholdMetricId"
            : "ThresholdMetricId needs one of the ComparisonOperators LessThanLowerOrGreaterThanUpperThreshold, "
              "LessThanLowerThreshold and GreaterThanUpperThreshold");
  }
  if (rule.threshold.has_value() == !rule.threshold_metric_id.empty()) {
    return malformed("An alarm has either Threshold or ThresholdMetricId");
  }
  if (rule.metric) {
    if (rule.metric->metric.name.empty() || rule.metric->metric.name_space.empty()) {
      return malformed("MetricName and Namespace go together");
    }
    if (rule.metric->metric.dimensions.size() > 30) return malformed("A metric has at most 30 dimensions");
    const auto period = rule.metric->period.count();
    if (period != 10 && period != 20 && period != 30 && (period < 60 || period % 60 != 0)) {
      return malformed(fmt::format("Period must be 10, 20, 30 or a multiple of 60; it is {}", period));
    }
  }
  auto watch = Watch::make(definition);
  if (!watch) return watch.error();
  const auto period = (*watch)->period();
  const auto range = period * rule.evaluation_periods;
  const auto most = period >= std::chrono::hours(1) ? std::chrono::hours(24 * 7) : std::chrono::hours(24);
  if (range > most) {
    return malformed(
        fmt::format("Metrics cannot be checked across more than {} (EvaluationPeriods * Period must be <= {}; "
                    "it is {})",
                    most.count() == 24 ? "a day" : "seven days", std::chrono::seconds(most).count(), range.count()));
  }
  const auto& extensions = (*watch)->extensions();
  if (extensions.recovery_threshold) {
    if (!rule.threshold) return malformed("Tag securebase:recovery-threshold needs an alarm with a Threshold");
    const bool above = rule.comparison == Comparison::kGreaterThanThreshold ||
                       rule.comparison == Comparison::kGreaterThanOrEqualToThreshold;
    if (above ? *extensions.recovery_threshold > *rule.threshold : *extensions.recovery_threshold < *rule.threshold) {
      return malformed(fmt::format("Tag securebase:recovery-threshold is {}, on the wrong side of Threshold {}",
                                   *extensions.recovery_threshold, *rule.threshold));
    }
  }
  return Done{};
}

}  // namespace

Result<Done> validate(const AlarmDefinition& definition) {
  if (definition.name.empty() || definition.name.size() > 255) return malformed("AlarmName has 1 to 255 characters");
  for (const unsigned char c : definition.name) {
    if (c < ' ') return malformed("AlarmName holds no control characters");
  }
  if (definition.description.size() > 1024) return malformed("AlarmDescription has at most 1024 characters");
  for (const auto& [name, actions] : {std::pair{"OKActions", &definition.ok_actions},
                                      {"AlarmActions", &definition.alarm_actions},
                                      {"InsufficientDataActions", &definition.insufficient_data_actions}}) {
    if (actions->size() > kMostActions) return malformed(fmt::format("{} holds at most {}", name, kMostActions));
    for (const auto& action : *actions) {
      if (action.starts_with("arn:") && action.size() <= 1024) continue;
      return malformed(fmt::format("Invalid arn syntax in {}: {}", name, action));
    }
  }
  if (definition.tags.size() > kMostTags) return malformed(fmt::format("An alarm has at most {} tags", kMostTags));
  for (const auto& [key, value] : definition.tags) {
    if (key.empty() || key.size() > 128 || value.size() > 256) {
      return malformed("A tag's key has 1 to 128 characters, its value at most 256");
    }
  }
  auto extensions = extensions_from(definition.tags);
  if (!extensions) return extensions.error();
  const auto* composite = std::get_if<CompositeRule>(&definition.rule);
  if (!composite) return validate_metric(std::get<MetricRule>(definition.rule), definition);
  if (auto rule = Rule::parse(composite->rule); !rule) return rule.error();
  if (composite->wait.count() < 0 || composite->extension.count() < 0) {
    return malformed("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are 0 or more seconds");
  }
  if (name_in_arn(composite->suppressor) == definition.name) {
    return malformed("An alarm cannot be its own ActionsSuppressor");
  }
  return Done{};
}

}  // namespace securebase::monitoring
