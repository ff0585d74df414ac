// Why an alarm is in its state, in CloudWatch's words and as its StateReasonData.
#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/judge.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kShownPoints = 40;  // CloudWatch cuts the texts; points are left out first

std::string_view words_of(Comparison comparison) {
  switch (comparison) {
    case Comparison::kGreaterThanOrEqualToThreshold:
      return "greater than or equal to the threshold";
    case Comparison::kGreaterThanThreshold:
      return "greater than the threshold";
    case Comparison::kLessThanThreshold:
      return "less than the threshold";
    case Comparison::kLessThanOrEqualToThreshold:
      return "less than or equal to the threshold";
    case Comparison::kLessThanLowerOrGreaterThanUpperThreshold:
      return "less than the lower thresholds or greater than the upper thresholds";
    case Comparison::kLessThanLowerThreshold:
      return "less than the lower thresholds";
    case Comparison::kGreaterThanUpperThreshold:
      return "greater than the upper thresholds";
  }
  return "";
}

std::string_view treated_as(MissingData missing) {
  return missing == MissingData::kBreaching ? "Breaching" : "NonBreaching";
}

std::string plural(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string_view was(std::size_t count) { return count == 1 ? "was" : "were"; }

// The thresholds of the points, where they are a band: "[1.0, 2.0]".
std::string threshold_text(const MetricRule& rule, const std::vector<JudgedPeriod>& slots,
                           const std::vector<std::size_t>& points, double threshold) {
  if (!is_band(rule.comparison)) return fmt::format("({})", java_double(threshold));
  std::string lower, upper;
  for (const auto i : points) {
    lower += (lower.empty() ? "" : ", ") + java_double(slots[i].lower);
    upper += (upper.empty() ? "" : ", ") + java_double(slots[i].upper);
  }
  if (rule.comparison == Comparison::kLessThanLowerThreshold) return fmt::format("[{}]", lower);
  if (rule.comparison == Comparison::kGreaterThanUpperThreshold) return fmt::format("[{}]", upper);
  return fmt::format("[{}] [{}]", lower, upper);
}

std::string text_of(const MetricRule& rule, const std::vector<JudgedPeriod>& slots, const Judgement& judgement,
                    AlarmState state, double threshold) {
  const int n = rule.evaluation_periods;
  const int m = rule.datapoints_to_alarm > 0 ? rule.datapoints_to_alarm : n;
  if (state == AlarmState::kInsufficientData) {
    return fmt::format("Insufficient Data: {} {} unknown.", plural(static_cast<std::size_t>(n), "datapoint"),
                       was(static_cast<std::size_t>(n)));
  }
  const auto missing = rule.missing.value_or(MissingData::kMissing);
  const auto filled = static_cast<std::size_t>(judgement.filled);
  if (judgement.judged.empty()) {
    return fmt::format("Threshold Crossed: no datapoints were received for {} and {} {} treated as [{}].",
                       plural(static_cast<std::size_t>(n), "period"), plural(filled, "missing datapoint"), was(filled),
                       treated_as(missing));
  }
  const bool alarm = state == AlarmState::kAlarm;
  std::vector<std::size_t> shown;
  for (const auto i : judgement.judged) {
    if ((slots[i].mark == Mark::kBreaching) == alarm) shown.push_back(i);
  }
  if (shown.empty()) shown = judgement.judged;
  const bool they_breach = slots[shown[0]].mark == Mark::kBreaching;
  std::string points;
  for (std::size_t i = 0; i < shown.size() && i < kShownPoints; ++i) {
    const auto& slot = slots[shown[i]];
    points += fmt::format("{}{} ({})", i == 0 ? "" : ", ", java_double(slot.value), short_time(slot.start));
  }
  const auto needed = static_cast<std::size_t>(alarm ? m : n - m + 1);
  std::string text = fmt::format("Threshold Crossed: {} out of the last {} datapoints [{}] {} {}{} {}", shown.size(), n,
                                 points, was(shown.size()), they_breach ? "" : "not ", words_of(rule.comparison),
                                 threshold_text(rule, slots, shown, threshold));
  if (filled > 0) {
    text += fmt::format(" and {} {} treated as [{}]", plural(filled, "missing datapoint"), was(filled),
                        treated_as(missing));
  }
  return text + fmt::format(" (minimum {} for {} transition).", plural(needed, "datapoint"),
                            alarm ? "OK -> ALARM" : "ALARM -> OK");
}

std::string data_of(const MetricRule& rule, std::chrono::seconds period, const std::vector<JudgedPeriod>& slots,
                    const Judgement& judgement, double threshold, base::TimePoint now) {
  using base::Json;
  Json data = Json::object({{"version", "1.0"}, {"queryDate", json_time(now)}});
  Json recent = Json::array(), evaluated = Json::array(), lower = Json::array(), upper = Json::array();
  const std::size_t shown = std::min(judgement.judged.size(), kShownPoints / 2);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& slot = slots[judgement.judged[i]];
    Json point = Json::object({{"timestamp", json_time(slot.start)}});
    if (slot.samples > 0) point.set("sampleCount", static_cast<double>(slot.samples));
    point.set("value", slot.value);
    if (is_band(rule.comparison)) point.set("threshold", slot.value > slot.upper ? slot.upper : slot.lower);
    evaluated.push_back(std::move(point));
  }
  for (std::size_t i = shown; i-- > 0;) {
    const auto& slot = slots[judgement.judged[i]];
    recent.push_back(slot.value);
    lower.push_back(slot.lower);
    upper.push_back(slot.upper);
  }
  if (shown > 0) data.set("startDate", json_time(slots[judgement.judged[shown - 1]].start));
  if (rule.metric) {
    if (rule.metric->unit) data.set("unit", *rule.metric->unit);
    data.set("statistic", rule.metric->stat);
  }
  data.set("period", period.count());
  data.set("recentDatapoints", std::move(recent));
  if (is_band(rule.comparison)) {
    data.set("recentLowerThresholds", std::move(lower));
    data.set("recentUpperThresholds", std::move(upper));
  } else {
    data.set("threshold", threshold);
  }
  if (shown > 0) data.set("evaluatedDatapoints", std::move(evaluated));
  std::string text = data.dump();
  if (text.size() > kReasonDataBytes) {
    data.erase("evaluatedDatapoints");
    text = data.dump();
  }
  return text;
}

}  // namespace

std::string java_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  const double size = std::abs(value);
  if (size >= 1e-3 && size < 1e7) {
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
  }
  // The shortest digits that read back as this number, one of them before the point.
  for (int digits = 1; digits <= 17; ++digits) {
    const std::string text = fmt::format("{:.{}e}", value, digits);
    if (std::stod(text) != value) continue;
    const auto e = text.find('e');
    return fmt::format("{}E{}", text.substr(0, e), std::stoi(text.substr(e + 1)));
  }
  return fmt::format("{}", value);
}

Reason reason_of(const MetricRule& rule, std::chrono::seconds period, const std::vector<JudgedPeriod>& slots,
                 const Judgement& judgement, AlarmState state, double threshold, base::TimePoint now) {
  return {cut(text_of(rule, slots, judgement, state, threshold), kReasonBytes),
          data_of(rule, period, slots, judgement, threshold, now)};
}

}  // namespace securebase::monitoring
