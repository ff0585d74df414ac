// CloudWatch's operations on alarms (API reference of 2010-08-01).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "aws/json_value.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/api.h"

namespace securebase::monitoring::api {

namespace {

using aws::Value;

constexpr std::size_t kAlarmsPage = 50;  // MaxRecords when it is not said
constexpr std::size_t kMostAlarmsPage = 100;

aws::Outcome done(const Result<Done>& result) {
  if (!result) return fault_of(result.error());
  return aws::Answer();
}

aws::Fault bad_token() { return {"InvalidNextToken", "The NextToken is none that this operation gave", 400, {}}; }

std::vector<std::string> texts(const Value& list) {
  std::vector<std::string> made;
  for (const auto& one : list.elements()) made.emplace_back(one.string_or(""));
  return made;
}

std::size_t page_size(const Value& input, std::string_view member) {
  const auto asked = input[member].integer_or(kAlarmsPage);
  return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 1, kMostAlarmsPage));
}

Value described(const AlarmView& alarm) {
  base::Json json = to_json(alarm.definition);
  json.erase("Tags");
  Value made = aws::value_from(json);
  const auto& status = alarm.status;
  made.set("AlarmArn", alarm.arn);
  made.set("AlarmConfigurationUpdatedTimestamp", status.configured);
  made.set("StateValue", to_string(status.state));
  made.set("StateReason", status.reason);
  if (!status.reason_data.empty()) made.set("StateReasonData", status.reason_data);
  made.set("StateUpdatedTimestamp", status.updated);
  made.set("StateTransitionedTimestamp", status.transitioned);
  if (!status.suppressed_by.empty() && alarm.definition.is_composite()) {
    made.set("ActionsSuppressedBy", status.suppressed_by);
    made.set("ActionsSuppressedReason", status.suppressed_reason);
  }
  return made;
}

aws::Outcome put(Alarms& alarms, const aws::Call& call) {
  auto definition = alarm_from_json(json_from(call.input, aws::TimeAs::kWholeSeconds));
  if (!definition) return fault_of(definition.error());
  auto result = alarms.put(std::move(*definition));
  // A child that does not exist is a bad parameter, not a missing resource.
  if (!result && result.error().code == Errc::kNotFound) return validation(result.error().message);
  return done(result);
}

// "" when the ARN is of no alarm.
std::string alarm_of(std::string_view arn) {
  return arn.find(":alarm:") == std::string_view::npos ? std::string() : std::string(name_in_arn(arn));
}

aws::Fault no_resource(std::string_view arn) {
  return {"ResourceNotFoundException", fmt::format("There is no resource {}", arn), 404,
          Value::structure({{"ResourceType", "alarm"}, {"ResourceId", std::string(arn)}})};
}

}  // namespace

aws::Outcome put_metric_alarm(Alarms& alarms, const aws::Call& call) { return put(alarms, call); }
aws::Outcome put_composite_alarm(Alarms& alarms, const aws::Call& call) { return put(alarms, call); }

aws::Outcome describe_alarms(Alarms& alarms, const aws::Call& call) {
  const Value& input = call.input;
  AlarmFilter filter;
  filter.names = texts(input["AlarmNames"]);
  filter.prefix = input["AlarmNamePrefix"].string_or("");
  if (!filter.names.empty() && !filter.prefix.empty()) {
    return validation("AlarmNames and AlarmNamePrefix cannot be used together");
  }
  filter.children_of = input["ChildrenOfAlarmName"].string_or("");
  filter.parents_of = input["ParentsOfAlarmName"].string_or("");
  filter.action_prefix = input["ActionPrefix"].string_or("");
  filter.state = alarm_state_from(input["StateValue"].string_or(""));
  // Without AlarmTypes only metric alarms are meant, save where composite ones are asked after.
  const auto types = texts(input["AlarmTypes"]);
  const auto asks = [&](std::string_view type) { return std::find(types.begin(), types.end(), type) != types.end(); };
  const bool relatives = !filter.children_of.empty() || !filter.parents_of.empty();
  filter.metric_alarms = types.empty() || asks("MetricAlarm");
  filter.composite_alarms = types.empty() ? relatives : asks("CompositeAlarm");
  if (const auto token = input["NextToken"].string_or(""); !token.empty()) {
    auto place = page_place(token);
    if (!place) return bad_token();
    filter.after = std::move(*place);
  }
  filter.limit = page_size(input, "MaxRecords") + 1;
  auto found = alarms.list(filter);
  Value output = Value::structure({{"CompositeAlarms", Value::list()}, {"MetricAlarms", Value::list()}});
  if (found.size() == filter.limit) {
    found.pop_back();
    output.set("NextToken", page_token(found.back().definition.name));
  }
  Value metric = Value::list(), composite = Value::list();
  for (const auto& alarm : found) (alarm.definition.is_composite() ? composite : metric).push_back(described(alarm));
  output.set("MetricAlarms", std::move(metric));
  output.set("CompositeAlarms", std::move(composite));
  return aws::Answer(std::move(output));
}

aws::Outcome describe_alarms_for_metric(Alarms& alarms, const aws::Call& call) {
  const Value& input = call.input;
  MetricId metric{std::string(input["Namespace"].string_or("")), std::string(input["MetricName"].string_or("")), {}};
  for (const auto& one : input["Dimensions"].elements()) {
    metric.dimensions.emplace_back(one["Name"].string_or(""), one["Value"].string_or(""));
  }
  std::sort(metric.dimensions.begin(), metric.dimensions.end());
  const auto stat = input["Statistic"].string_or(input["ExtendedStatistic"].string_or(""));
  const auto period = input["Period"].integer_or(0);
  const auto unit = input["Unit"].string_or("");
  AlarmFilter filter;
  filter.composite_alarms = false;
  Value list = Value::list();
  for (const auto& alarm : alarms.list(filter)) {
    const auto& rule = std::get<MetricRule>(alarm.definition.rule);
    if (!rule.metric || rule.metric->metric != metric) continue;
    if (!stat.empty() && rule.metric->stat != stat) continue;
    if (period > 0 && rule.metric->period.count() != period) continue;
    if (!unit.empty() && rule.metric->unit != unit) continue;
    list.push_back(described(alarm));
  }
  return aws::Answer(Value::structure({{"MetricAlarms", std::move(list)}}));
}

aws::Outcome describe_alarm_history(Alarms& alarms, const aws::Call& call) {
  using Kind = AlarmHistoryItem::Kind;
  const Value& input = call.input;
  HistoryFilter filter;
  filter.alarm = input["AlarmName"].string_or("");
  const auto types = texts(input["AlarmTypes"]);
  if (!types.empty()) {
    filter.metric_alarms = std::find(types.begin(), types.end(), "MetricAlarm") != types.end();
    filter.composite_alarms = std::find(types.begin(), types.end(), "CompositeAlarm") != types.end();
  }
  for (const auto kind : {Kind::kConfigurationUpdate, Kind::kStateUpdate, Kind::kAction}) {
    if (input["HistoryItemType"].string_or("") == to_string(kind)) filter.kind = kind;
  }
  if (const auto* time = input["StartDate"].as_time()) filter.from = *time;
  if (const auto* time = input["EndDate"].as_time()) filter.to = *time;
  filter.oldest_first = input["ScanBy"].string_or("") == "TimestampAscending";
  // A page goes on behind the time of the last item, and behind those of the same time that were given.
  if (const auto token = input["NextToken"].string_or(""); !token.empty()) {
    const auto place = page_place(token);
    std::int64_t time = 0;
    if (!place) return bad_token();
    const auto [end, failure] = std::from_chars(place->data(), place->data() + place->size(), time);
    const char* last = place->data() + place->size();
    if (failure != std::errc{} || end == last || *end != '+') return bad_token();
    if (std::from_chars(end + 1, last, filter.skip).ec != std::errc{}) return bad_token();
    (filter.oldest_first ? filter.from : filter.to) = base::TimePoint(std::chrono::microseconds(time));
  }
  const auto skipped = filter.skip;
  const auto begun = filter.oldest_first ? filter.from : filter.to;
  filter.limit = page_size(input, "MaxRecords") + 1;
  auto items = alarms.history(filter);
  Value output = Value::structure();
  if (items.size() == filter.limit) {
    items.pop_back();
    const auto time = items.back().time;
    auto same = static_cast<std::size_t>(
        std::count_if(items.begin(), items.end(), [&](const auto& item) { return item.time == time; }));
    if (begun && *begun == time) same += skipped;
    output.set("NextToken", page_token(fmt::format("{}+{}", time.time_since_epoch().count(), same)));
  }
  Value list = Value::list();
  for (const auto& item : items) {
    list.push_back(Value::structure({{"AlarmName", item.alarm},
                                     {"AlarmType", item.composite ? "CompositeAlarm" : "MetricAlarm"},
                                     {"Timestamp", item.time},
                                     {"HistoryItemType", to_string(item.kind)},
                                     {"HistorySummary", item.summary},
                                     {"HistoryData", item.data}}));
  }
  output.set("AlarmHistoryItems", std::move(list));
  return aws::Answer(std::move(output));
}

aws::Outcome delete_alarms(Alarms& alarms, const aws::Call& call) {
  return done(alarms.remove(texts(call.input["AlarmNames"])));
}

aws::Outcome set_alarm_state(Alarms& alarms, const aws::Call& call) {
  const auto state = alarm_state_from(call.input["StateValue"].string_or(""));
  if (!state) return validation("StateValue is OK, ALARM or INSUFFICIENT_DATA");
  auto result = alarms.set_state(std::string(call.input["AlarmName"].string_or("")), *state,
                                 std::string(call.input["StateReason"].string_or("")),
                                 std::string(call.input["StateReasonData"].string_or("")));
  if (!result && result.error().code == Errc::kMalformed)
    return aws::Fault{"InvalidFormat", result.error().message, 400, {}};
  return done(result);
}

aws::Outcome enable_alarm_actions(Alarms& alarms, const aws::Call& call) {
  return done(alarms.enable_actions(texts(call.input["AlarmNames"]), true));
}
aws::Outcome disable_alarm_actions(Alarms& alarms, const aws::Call& call) {
  return done(alarms.enable_actions(texts(call.input["AlarmNames"]), false));
}

aws::Outcome tag_resource(Alarms& alarms, const aws::Call& call) {
  const auto arn = call.input["ResourceARN"].string_or("");
  std::map<std::string, std::optional<std::string>> tags;
  for (const auto& tag : call.input["Tags"].elements()) {
    tags[std::string(tag["Key"].string_or(""))] = std::string(tag["Value"].string_or(""));
  }
  auto result = alarms.tag(alarm_of(arn), tags);
  if (!result && result.error().code == Errc::kNotFound) return no_resource(arn);
  if (!result && result.error().code == Errc::kMalformed)
    return aws::Fault{"InvalidParameterValue", result.error().message, 400, {}};
  if (!result) return fault_of(result.error());
  return aws::Answer(Value::structure());
}

aws::Outcome untag_resource(Alarms& alarms, const aws::Call& call) {
  const auto arn = call.input["ResourceARN"].string_or("");
  std::map<std::string, std::optional<std::string>> tags;
  for (const auto& key : call.input["TagKeys"].elements()) tags[std::string(key.string_or(""))] = std::nullopt;
  auto result = alarms.tag(alarm_of(arn), tags);
  if (!result && result.error().code == Errc::kNotFound) return no_resource(arn);
  if (!result) return fault_of(result.error());
  return aws::Answer(Value::structure());
}

aws::Outcome list_tags_for_resource(Alarms& alarms, const aws::Call& call) {
  const auto arn = call.input["ResourceARN"].string_or("");
  const auto alarm = alarms.find(alarm_of(arn));
  if (!alarm) return no_resource(arn);
  Value list = Value::list();
  for (const auto& [key, value] : alarm->definition.tags)
    list.push_back(Value::structure({{"Key", key}, {"Value", value}}));
  return aws::Answer(Value::structure({{"Tags", std::move(list)}}));
}

}  // namespace securebase::monitoring::api
