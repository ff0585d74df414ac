// `securebase alarms`: what the command line asks about alarms.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "platform/rooms.h"

namespace securebase::platform {

namespace {

using base::Json;

constexpr std::string_view kMaintenanceTag = "securebase:maintenance";

Json described(const monitoring::AlarmView& alarm) {
  const auto& status = alarm.status;
  auto json = Json::object({{"name", alarm.definition.name},
                            {"arn", alarm.arn},
                            {"state", monitoring::to_string(status.state)},
                            {"since", base::iso8601(status.transitioned)},
                            {"reason", status.reason},
                            {"description", alarm.definition.description},
                            {"composite", alarm.definition.is_composite()},
                            {"actions_enabled", alarm.definition.actions_enabled},
                            {"from_stack", status.from_stack},
                            {"flapping", status.flapping}});
  if (!status.suppressed_by.empty()) {
    json.set("suppressed_by", status.suppressed_by);
    json.set("suppressed_reason", status.suppressed_reason);
  }
  const auto& tags = alarm.definition.tags;
  if (const auto found = tags.find(std::string(kMaintenanceTag)); found != tags.end()) {
    json.set("maintenance", found->second);
  }
  return json;
}

Result<Json> listed_alarms(const monitoring::Alarms& alarms, const Json& question) {
  monitoring::AlarmFilter filter;
  filter.prefix = question["prefix"].string_or("");
  if (const auto state = question["state"].string_or(""); !state.empty()) {
    filter.state = monitoring::alarm_state_from(state);
    if (!filter.state) {
      return Error{Errc::kMalformed, fmt::format("a state is OK, ALARM or INSUFFICIENT_DATA, not \"{}\"", state)};
    }
  }
  auto found = alarms.list(filter);
  // What burns comes first, then what nobody knows; within a state by name, as the list is.
  const auto rank = [](const monitoring::AlarmView& alarm) {
    using State = monitoring::AlarmState;
    return alarm.status.state == State::kAlarm ? 0 : alarm.status.state == State::kInsufficientData ? 1 : 2;
  };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  auto array = Json::array();
  for (const auto& alarm : found) array.push_back(described(alarm));
  const auto counts = alarms.counts();
  return Json::object({{"alarms", array},
                       {"failed_evaluations", counts.failed_evaluations},
                       {"due_actions", std::uint64_t{counts.due_actions}}});
}

Error no_alarm(std::string_view name) {
  return {Errc::kNotFound, fmt::format("there is no alarm \"{}\"; `securebase alarms` lists them", name)};
}

Result<Json> history(const monitoring::Alarms& alarms, const Json& question) {
  monitoring::HistoryFilter filter;
  filter.alarm = question["name"].string_or("");
  if (!filter.alarm.empty() && !alarms.find(filter.alarm)) {
    // Of one that was deleted there is a history too.
    if (alarms.history(filter).empty()) return no_alarm(filter.alarm);
  }
  using Kind = monitoring::AlarmHistoryItem::Kind;
  if (!question["everything"].bool_or(false)) filter.kind = Kind::kStateUpdate;
  filter.from = base::system_clock().now() - std::chrono::seconds{question["since_seconds"].integer_or(86'400)};
  filter.limit = static_cast<std::size_t>(std::clamp<std::int64_t>(question["most"].integer_or(100), 1, 100'000));
  auto items = alarms.history(filter);
  std::reverse(items.begin(), items.end());
  auto array = Json::array();
  for (const auto& item : items) {
    auto json = Json::object({{"time", base::iso8601_millis(item.time)},
                              {"alarm", item.alarm},
                              {"kind", monitoring::to_string(item.kind)},
                              {"summary", item.summary}});
    if (auto data = Json::parse(item.data)) json.set("data", std::move(*data));
    array.push_back(std::move(json));
  }
  return Json::object({{"history", array}});
}

// Tags of the same key give way.
void add_tags(Json& definition, const Json& tags) {
  std::map<std::string, std::string> all;
  for (const auto* list : {definition["Tags"].as_array(), tags.as_array()}) {
    if (!list) continue;
    for (const auto& tag : *list) all[std::string(tag["Key"].string_or(""))] = tag["Value"].string_or("");
  }
  auto merged = Json::array();
  for (const auto& [key, value] : all) merged.push_back(Json::object({{"Key", key}, {"Value", value}}));
  definition.set("Tags", std::move(merged));
}

// The definition that is asked about: an alarm that there is, or one that is given, with members in place of its own.
Result<monitoring::AlarmDefinition> asked_definition(const monitoring::Alarms& alarms, const Json& question) {
  Json json = question["definition"].is_object() ? question["definition"] : Json::object();
  if (const auto name = question["name"].string_or(""); !name.empty()) {
    const auto alarm = alarms.find(std::string(name));
    if (!alarm) return no_alarm(name);
    json = to_json(alarm->definition);
  }
  if (const auto* members = question["members"].as_object()) {
    for (const auto& [member, value] : *members) {
      if (member == "Tags") {
        add_tags(json, value);
        continue;
      }
      // Either is given, so the other goes.
      if (member == "Statistic") json.erase("ExtendedStatistic");
      if (member == "ExtendedStatistic") json.erase("Statistic");
      if (value.is_null()) {
        json.erase(member);
      } else {
        json.set(member, value);
      }
    }
  }
  if (json["AlarmName"].string_or("").empty()) json.set("AlarmName", "backtest");
  return monitoring::alarm_from_json(json);
}

Result<Json> backtest(const monitoring::Alarms& alarms, const Json& question) {
  auto definition = asked_definition(alarms, question);
  if (!definition) return definition.error();
  const auto to = base::system_clock().now() - std::chrono::seconds{question["until_seconds"].integer_or(0)};
  const auto from = to - std::chrono::seconds{question["over_seconds"].integer_or(86'400)};
  auto past = alarms.backtest(*definition, from, to);
  if (!past) return past.error();
  auto changes = Json::array();
  for (const auto& change : past->changes) {
    changes.push_back(Json::object({{"time", base::iso8601(change.time)},
                                    {"state", monitoring::to_string(change.state)},
                                    {"reason", change.reason}}));
  }
  return Json::object({{"definition", to_json(*definition)},
                       {"from", base::iso8601(from)},
                       {"to", base::iso8601(to)},
                       {"changes", changes},
                       {"times_in_alarm", std::uint64_t{past->times_in_alarm}},
                       {"seconds_in_alarm", std::int64_t{past->in_alarm.count()}},
                       {"notifications", std::uint64_t{past->notifications}},
                       {"evaluations", std::uint64_t{past->evaluations}}});
}

Result<Json> maintenance(monitoring::Alarms& alarms, const Json& question) {
  const std::string name(question["name"].string_or(""));
  const auto window = question["window"].string_or("");
  if (!alarms.find(name)) return no_alarm(name);
  std::optional<std::string> value(window);
  if (const auto seconds = question["for_seconds"].integer_or(0); seconds > 0) {
    const auto now = base::system_clock().now();
    // Windows are of whole minutes.
    const auto text = [](base::TimePoint time) { return base::iso8601(time).substr(0, 16) + "Z"; };
    value = fmt::format("{} to {}", text(now), text(now + std::chrono::seconds{seconds + 59}));
  }
  if (window == "none") value.reset();
  if (auto done = alarms.tag(name, {{std::string(kMaintenanceTag), value}}); !done) return done.error();
  return described(*alarms.find(name));
}

}  // namespace

Result<base::Json> Rooms::alarms(const base::Json& question) {
  const auto what = question["what"].string_or("");
  if (what == "list") return listed_alarms(*alarms_, question);
  if (what == "history") return history(*alarms_, question);
  if (what == "backtest") return backtest(*alarms_, question);
  if (what == "maintenance") return maintenance(*alarms_, question);
  return Error{Errc::kMalformed, "what about the alarms: list, history, backtest or maintenance?"};
}

}  // namespace securebase::platform
