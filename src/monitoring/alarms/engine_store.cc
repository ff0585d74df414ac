// What the engine keeps on disk, and finds there again.
#include <fmt/format.h>

#include "base/log.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/engine.h"

namespace securebase::monitoring {

namespace {

using base::Json;

constexpr std::chrono::hours kHistoryKept{14 * 24};
constexpr std::size_t kSnapshotPart = 500;  // alarms or actions in one record

Json json_of(base::TimePoint time) { return Json(static_cast<std::int64_t>(time.time_since_epoch().count())); }
base::TimePoint time_from(const Json& json) { return base::TimePoint(std::chrono::microseconds(json.integer_or(0))); }
std::string text_from(const Json& json) { return std::string(json.string_or("")); }

Json json_of(const std::set<std::string>& names) {
  Json made = Json::array();
  for (const auto& name : names) made.push_back(name);
  return made;
}
std::set<std::string> names_from(const Json& json) {
  std::set<std::string> made;
  if (const auto* list = json.as_array()) {
    for (const auto& one : *list) made.insert(text_from(one));
  }
  return made;
}

Json json_of(const Alarm& alarm) {
  Json made = Json::object({{"definition", to_json(alarm.definition)},
                            {"state", to_string(alarm.status.state)},
                            {"reason", alarm.status.reason},
                            {"data", alarm.status.reason_data},
                            {"updated", json_of(alarm.status.updated)},
                            {"transitioned", json_of(alarm.status.transitioned)},
                            {"configured", json_of(alarm.status.configured)},
                            {"course", alarm.course.to_json()}});
  if (alarm.status.from_stack) made.set("stack", true);
  if (alarm.suppressed_until) made.set("suppressed_until", json_of(*alarm.suppressed_until));
  return made;
}

Json json_of(const AlarmHistoryItem& item) {
  return Json::array(
      {item.alarm, item.composite, json_of(item.time), static_cast<int>(item.kind), item.summary, item.data});
}
AlarmHistoryItem history_from(const Json& json) {
  AlarmHistoryItem made;
  const auto* list = json.as_array();
  if (!list || list->size() != 6) return made;
  made.alarm = text_from((*list)[0]);
  made.composite = (*list)[1].bool_or(false);
  made.time = time_from((*list)[2]);
  made.kind = static_cast<AlarmHistoryItem::Kind>(std::clamp<std::int64_t>((*list)[3].integer_or(0), 0, 2));
  made.summary = text_from((*list)[4]);
  made.data = text_from((*list)[5]);
  return made;
}

Json json_of(const DueAction& action) {
  const auto& told = action.notification;
  return Json::object({{"action", action.action},
                       {"id", told.id},
                       {"alarm", told.alarm},
                       {"arn", told.alarm_arn},
                       {"composite", action.composite},
                       {"state", to_string(told.state)},
                       {"time", json_of(told.time)},
                       {"subject", told.subject},
                       {"message", told.message},
                       {"text", told.text},
                       {"first", json_of(action.first)}});
}
DueAction due_from(const Json& json) {
  DueAction made;
  made.action = text_from(json["action"]);
  made.composite = json["composite"].bool_or(false);
  made.first = made.next = time_from(json["first"]);
  auto& told = made.notification;
  told.id = text_from(json["id"]);
  told.alarm = text_from(json["alarm"]);
  told.alarm_arn = text_from(json["arn"]);
  told.state = alarm_state_from(json["state"].string_or("")).value_or(AlarmState::kAlarm);
  told.time = time_from(json["time"]);
  told.subject = text_from(json["subject"]);
  told.message = text_from(json["message"]);
  told.text = text_from(json["text"]);
  return made;
}

Json json_of(const AnomalyDetector& detector) {
  Json excluded = Json::array();
  for (const auto& [from, to] : detector.excluded) excluded.push_back(Json::array({json_of(from), json_of(to)}));
  return Json::object({{"metric", to_json(detector.metric)}, {"excluded", excluded}, {"timezone", detector.timezone}});
}

Json json_of(const std::map<std::string, Incident>& incidents) {
  Json made = Json::object();
  for (const auto& [name, incident] : incidents) {
    made.set(name, Json::object({{"in_alarm", json_of(incident.in_alarm)},
                                 {"told", json_of(incident.told)},
                                 {"heard", json_of(incident.heard)}}));
  }
  return made;
}

}  // namespace

Result<Done> Alarms::Engine::open() {
  Journal::Limits limits;
  limits.kept = kHistoryKept;
  auto opened = Journal::open(settings.directory, limits,
                              [this](const Json& record, Journal::Part part) { replay(record, part); });
  if (!opened) return opened.error().within("the alarms' journal");
  journal = std::move(*opened);
  for (auto& [name, alarm] : alarms) {
    compile(*alarm);
    if (alarm->rule || alarm->course.waits(alarm->extensions)) waiting.insert(name);
  }
  resume_suppression();
  forget_old_history();
  // Begins the first segment where there is none.
  if (journal->wants_rotation(clock.now())) return journal->rotate(snapshot(), clock.now());
  return Done{};
}

// How long a suppressor has been in ALARM is not written each second: until now, at least, if it was when we ended. Its
// extension is counted from then, should it have left ALARM by the first evaluation.
void Alarms::Engine::resume_suppression() {
  for (const auto& [name, alarm] : alarms) {
    const auto* composite = std::get_if<CompositeRule>(&alarm->definition.rule);
    if (!composite || composite->suppressor.empty()) continue;
    const auto suppressor = alarms.find(std::string(name_in_arn(composite->suppressor)));
    if (suppressor == alarms.end() || suppressor->second->status.state != AlarmState::kAlarm) continue;
    alarm->suppressed_until = clock.now();
  }
}

void Alarms::Engine::replay(const Json& record, Journal::Part part) {
  if (const auto* items = record["history"].as_array()) {
    for (const auto& item : *items) add_history(history_from(item));
  }
  if (part == Journal::Part::kHistory) return;
  if (const auto* all = record["alarms"].as_array()) {
    for (const auto& one : *all) {
      auto definition = alarm_from_json(one["definition"]);
      if (!definition) {
        base::log(base::Level::kError, "alarms", "alarm {} is dropped: {}",
                  one["definition"]["AlarmName"].string_or("?"), definition.error().message);
        continue;
      }
      auto alarm = std::make_shared<Alarm>();
      alarm->status.state = alarm_state_from(one["state"].string_or("")).value_or(AlarmState::kInsufficientData);
      alarm->status.reason = text_from(one["reason"]);
      alarm->status.reason_data = text_from(one["data"]);
      alarm->status.updated = time_from(one["updated"]);
      alarm->status.transitioned = time_from(one["transitioned"]);
      alarm->status.configured = time_from(one["configured"]);
      alarm->status.from_stack = one["stack"].bool_or(false);
      alarm->course = Course::from_json(one["course"]);
      if (one.find("suppressed_until")) alarm->suppressed_until = time_from(one["suppressed_until"]);
      alarm->definition = std::move(*definition);
      alarms[alarm->definition.name] = std::move(alarm);
    }
  }
  for (const auto& name : names_from(record["removed"])) alarms.erase(name);
  if (const auto* all = record["due"].as_array()) {
    for (const auto& one : *all) {
      auto action = due_from(one);
      due[action.notification.id + " " + action.action] = std::move(action);
    }
  }
  for (const auto& key : names_from(record["done"])) due.erase(key);
  if (const auto* all = record["incidents"].as_object()) {
    incidents.clear();
    for (const auto& [name, one] : *all) {
      incidents[name] = {names_from(one["in_alarm"]), names_from(one["told"]), names_from(one["heard"])};
    }
  }
  if (const auto* all = record["detectors"].as_array()) {
    detectors.clear();
    for (const auto& one : *all) {
      auto metric = metric_stat_from(one["metric"]);
      if (!metric) continue;
      AnomalyDetector detector{std::move(*metric), {}, text_from(one["timezone"])};
      if (const auto* ranges = one["excluded"].as_array()) {
        for (const auto& range : *ranges) {
          const auto* ends = range.as_array();
          if (ends && ends->size() == 2) detector.excluded.emplace_back(time_from((*ends)[0]), time_from((*ends)[1]));
        }
      }
      detectors.push_back(std::move(detector));
    }
  }
}

std::vector<Json> Alarms::Engine::snapshot() const {
  std::vector<Json> records;
  Json part = Json::array();
  const auto flush = [&](std::string_view name, bool always) {
    const auto* list = part.as_array();
    if (list->empty() || (!always && list->size() < kSnapshotPart)) return;
    records.push_back(Json::object({{std::string(name), std::move(part)}}));
    part = Json::array();
  };
  for (const auto& [name, alarm] : alarms) {
    part.push_back(json_of(*alarm));
    flush("alarms", false);
  }
  flush("alarms", true);
  for (const auto& [key, action] : due) {
    part.push_back(json_of(action));
    flush("due", false);
  }
  flush("due", true);
  Json all = Json::array();
  for (const auto& detector : detectors) all.push_back(json_of(detector));
  records.push_back(Json::object({{"incidents", json_of(incidents)}, {"detectors", std::move(all)}}));
  return records;
}

Result<Done> Alarms::Engine::commit() {
  Json record = Json::object();
  const auto list = [&](std::string_view name, const auto& all, auto make) {
    if (all.empty()) return;
    Json made = Json::array();
    for (const auto& one : all) {
      Json json = make(one);
      if (!json.is_null()) made.push_back(std::move(json));
    }
    record.set(name, std::move(made));
  };
  list("alarms", touched, [&](const std::string& name) {
    const auto at = alarms.find(name);
    return at == alarms.end() ? Json() : json_of(*at->second);
  });
  list("removed", removed, [](const std::string& name) { return Json(name); });
  list("history", new_history, [](const AlarmHistoryItem& item) { return json_of(item); });
  list("due", new_due, [&](const std::string& key) {
    const auto at = due.find(key);
    return at == due.end() ? Json() : json_of(at->second);
  });
  list("done", done, [](const std::string& key) { return Json(key); });
  if (incidents_touched) record.set("incidents", json_of(incidents));
  if (detectors_touched) {
    Json all = Json::array();
    for (const auto& detector : detectors) all.push_back(json_of(detector));
    record.set("detectors", std::move(all));
  }
  // That an action was done may be forgotten: it is done again, under the same id.
  const bool only_done =
      touched.empty() && removed.empty() && new_due.empty() && !incidents_touched && !detectors_touched;
  const bool nothing = record.as_object()->empty();
  touched.clear();
  removed.clear();
  new_history.clear();
  new_due.clear();
  done.clear();
  incidents_touched = detectors_touched = false;
  if (nothing) return Done{};
  auto written = journal->append(record, only_done ? Journal::Durability::kLater : Journal::Durability::kSync);
  if (!written) {
    base::log(base::Level::kError, "alarms", "{}", written.error().message);
    // A new segment holds all of it, save the history of this record.
    if (auto rotated = journal->rotate(snapshot(), clock.now()); rotated)
      return journal->append(record, Journal::Durability::kSync);
  }
  return written;
}

void Alarms::Engine::rotate_where_due() {
  if (!journal->wants_rotation(clock.now())) return;
  if (auto done_now = journal->rotate(snapshot(), clock.now()); !done_now) {
    base::log(base::Level::kError, "alarms", "{}", done_now.error().message);
  }
}

void Alarms::Engine::add_history(AlarmHistoryItem item) {
  auto& count = history_counts[item.alarm];
  const auto drop = [this](std::deque<AlarmHistoryItem>::iterator at) {
    if (--history_counts[at->alarm] == 0) history_counts.erase(at->alarm);
    history.erase(at);
  };
  if (++count > settings.history_items_of_one) {
    drop(std::find_if(history.begin(), history.end(), [&](const auto& one) { return one.alarm == item.alarm; }));
  }
  history.push_back(std::move(item));
  if (history.size() > settings.history_items) drop(history.begin());
}

void Alarms::Engine::forget_old_history() {
  const auto oldest = clock.now() - kHistoryKept;
  while (!history.empty() && history.front().time < oldest) {
    if (--history_counts[history.front().alarm] == 0) history_counts.erase(history.front().alarm);
    history.pop_front();
  }
}

}  // namespace securebase::monitoring
