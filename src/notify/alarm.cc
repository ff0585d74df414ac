#include "notify/alarm.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace securebase::notify {

namespace {

using std::chrono::seconds;

// "2026-01-24T10:05:00.123+0000" and "...Z", RFC 3339 as CloudWatch writes it.
std::optional<base::TimePoint> time_from(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t digits) -> int {
    int value = -1;
    if (text.size() < at + digits) return -1;
    const auto part = text.substr(at, digits);
    const auto [end, failure] = std::from_chars(part.data(), part.data() + digits, value);
    return failure == std::errc{} && end == part.data() + digits ? value : -1;
  };
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  return base::TimePoint{std::chrono::sys_days(date)} + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         seconds(second);
}

std::string number_text(double value) {
  std::string text = fmt::format("{:.6g}", value);
  return text;
}

std::string unit_text(std::string_view unit) {
  constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
      {"Milliseconds", " ms"}, {"Seconds", " s"}, {"Microseconds", " us"}, {"Percent", " %"}, {"Bytes", " bytes"}};
  for (const auto& [name, sign] : kUnits) {
    if (name == unit) return std::string(sign);
  }
  return "";
}

std::string_view comparison_words(std::string_view comparison) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"GreaterThanThreshold", "greater than"},
      {"GreaterThanOrEqualToThreshold", "at least"},
      {"LessThanThreshold", "less than"},
      {"LessThanOrEqualToThreshold", "at most"},
      {"LessThanLowerOrGreaterThanUpperThreshold", "outside the band of"},
      {"LessThanLowerThreshold", "below the band of"},
      {"GreaterThanUpperThreshold", "above the band of"}};
  for (const auto& [name, words] : kWords) {
    if (name == comparison) return words;
  }
  return "against";
}

// One word of a shell command, whatever it holds.
std::string quoted(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:=,@+%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c == '\n' || c == '\r' ? ' ' : c;
    }
  }
  return out + "'";
}

std::string dimensions_text(const Alarm& alarm) {
  std::string text;
  for (const auto& [name, value] : alarm.dimensions)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text;
}

}  // namespace

std::optional<double> Alarm::value() const {
  // "... 2 out of the last 3 datapoints [131.0 (24/01/26 10:05:00), 118.4 (...)] were ..."
  const auto open = reason.find('[');
  if (open == std::string::npos) return std::nullopt;
  const char* begin = reason.data() + open + 1;
  double number = 0;
  const auto [end, failure] = std::from_chars(begin, reason.data() + reason.size(), number);
  if (failure != std::errc{}) return std::nullopt;
  return number;
}

std::optional<Alarm> alarm_from(std::string_view message) {
  const auto first = message.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || message[first] != '{') return std::nullopt;
  const auto parsed = base::Json::parse(message);
  if (!parsed) return std::nullopt;
  const auto& json = *parsed;
  const auto text = [](const base::Json& value) { return std::string(value.string_or("")); };
  Alarm alarm;
  alarm.name = text(json["AlarmName"]);
  alarm.state = text(json["NewStateValue"]);
  if (alarm.name.empty() || (alarm.state != "ALARM" && alarm.state != "OK" && alarm.state != "INSUFFICIENT_DATA")) {
    return std::nullopt;
  }
  alarm.description = text(json["AlarmDescription"]);
  alarm.arn = text(json["AlarmArn"]);
  alarm.region = text(json["Region"]);
  alarm.old_state = text(json["OldStateValue"]);
  alarm.reason = text(json["NewStateReason"]);
  alarm.changed = time_from(json["StateChangeTime"].string_or(""));
  const auto& trigger = json["Trigger"];
  alarm.name_space = text(trigger["Namespace"]);
  alarm.metric = text(trigger["MetricName"]);
  alarm.statistic = text(trigger["ExtendedStatistic"]);
  alarm.extended = !alarm.statistic.empty();
  if (!alarm.extended) {
    // CloudWatch writes AVERAGE; the command line takes Average.
    alarm.statistic = text(trigger["Statistic"]);
    for (std::string_view name : {"Average", "Sum", "Minimum", "Maximum", "SampleCount"}) {
      const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
      if (std::equal(name.begin(), name.end(), alarm.statistic.begin(), alarm.statistic.end(), same))
        alarm.statistic = name;
    }
  }
  if (const auto* dimensions = trigger["Dimensions"].as_array()) {
    for (const auto& one : *dimensions) alarm.dimensions.emplace_back(text(one["name"]), text(one["value"]));
  }
  alarm.period = seconds(std::clamp<std::int64_t>(trigger["Period"].integer_or(0), 0, 604'800));
  alarm.evaluation_periods = std::clamp<std::int64_t>(trigger["EvaluationPeriods"].integer_or(0), 0, 10'000);
  alarm.datapoints_to_alarm = trigger["DatapointsToAlarm"].integer_or(alarm.evaluation_periods);
  alarm.comparison = text(trigger["ComparisonOperator"]);
  if (trigger["Threshold"].is_number()) alarm.threshold = trigger["Threshold"].number_or(0);
  alarm.unit = text(trigger["Unit"]);
  return alarm;
}

std::string headline(const Alarm& alarm) {
  std::string what =
      alarm.metric.empty() ? alarm.name : fmt::format("{} of {} {}", alarm.statistic, alarm.name_space, alarm.metric);
  if (!alarm.dimensions.empty()) what += fmt::format(" ({})", dimensions_text(alarm));
  const auto unit = unit_text(alarm.unit);
  if (alarm.state == "INSUFFICIENT_DATA") return what + ": there are too few data to tell";
  if (const auto value = alarm.value()) what += fmt::format(" is {}{}", number_text(*value), unit);
  if (!alarm.threshold) return what;
  what += fmt::format("{} {} {}{}", alarm.state == "OK" ? ", no longer" : ":", comparison_words(alarm.comparison),
                      number_text(*alarm.threshold), unit);
  if (alarm.evaluation_periods > 1) {
    what += fmt::format(" in {} of {} periods of {} s", alarm.datapoints_to_alarm, alarm.evaluation_periods,
                        alarm.period.count());
  }
  return what;
}

std::string since(const Alarm& alarm) {
  if (!alarm.changed) return "";
  auto text = base::iso8601(*alarm.changed);
  text[10] = ' ';
  text.pop_back();
  return "since " + text + " UTC";
}

std::vector<std::string> evidence(const Alarm& alarm) {
  if (alarm.metric.empty() || !alarm.changed) {
    return {fmt::format("aws cloudwatch describe-alarm-history --alarm-name {}", quoted(alarm.name))};
  }
  const auto window =
      std::max<seconds>(seconds(900), 3 * alarm.period * std::max<std::int64_t>(1, alarm.evaluation_periods));
  const auto from = base::iso8601(*alarm.changed - window);
  const auto to = base::iso8601(*alarm.changed + std::max<seconds>(seconds(60), alarm.period));
  std::string command = fmt::format("aws cloudwatch get-metric-statistics --namespace {} --metric-name {}",
                                    quoted(alarm.name_space), quoted(alarm.metric));
  if (!alarm.dimensions.empty()) command += " --dimensions";
  for (const auto& [name, value] : alarm.dimensions)
    command += " " + quoted(fmt::format("Name={},Value={}", name, value));
  command += fmt::format(" --start-time {} --end-time {} --period {} {} {}", from, to,
                         std::max<std::int64_t>(1, alarm.period.count()),
                         alarm.extended ? "--extended-statistics" : "--statistics", quoted(alarm.statistic));
  std::vector<std::string> commands{command};
  for (const auto& [name, value] : alarm.dimensions) {
    if (alarm.name_space != "AWS/Lambda" || name != "FunctionName") continue;
    const auto milliseconds = [](base::TimePoint time) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    };
    commands.push_back(fmt::format("aws logs filter-log-events --log-group-name {} --start-time {} --end-time {}",
                                   quoted("/aws/lambda/" + value), milliseconds(*alarm.changed - window),
                                   milliseconds(*alarm.changed + seconds(60))));
  }
  return commands;
}

}  // namespace securebase::notify
