// Who is told, and when it is held back; the queue of what is due.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/engine.h"
#include "monitoring/alarms/message.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {

namespace {

using base::Json;
using namespace std::chrono_literals;

constexpr auto kTriedFor = 24h;

const std::vector<std::string>& actions_for(const AlarmDefinition& definition, AlarmState state) {
  if (state == AlarmState::kOk) return definition.ok_actions;
  return state == AlarmState::kAlarm ? definition.alarm_actions : definition.insufficient_data_actions;
}

std::chrono::seconds pause_after(int attempts) {
  return std::min<std::chrono::seconds>(300s, 1s * (1 << std::min(attempts, 9)));
}

}  // namespace

// What holds messages back now: "Alarm", "WaitPeriod", "ExtensionPeriod" (CloudWatch user guide, "Composite alarm
// action suppression"), "MaintenanceWindow", or "".
std::string Alarms::Engine::withheld_by(Alarm& alarm, std::string& reason) {
  const auto now = clock.now();
  if (alarm.extensions.in_maintenance(now)) {
    reason = "A maintenance window is open";
    return "MaintenanceWindow";
  }
  const auto* composite = std::get_if<CompositeRule>(&alarm.definition.rule);
  if (!composite || composite->suppressor.empty()) return "";
  const std::string name(name_in_arn(composite->suppressor));
  const auto suppressor = alarms.find(name);
  if (suppressor != alarms.end() && suppressor->second->status.state == AlarmState::kAlarm) {
    alarm.suppressed_until = now;
    reason = fmt::format("Alarm actions suppressed by {}", name);
    return "Alarm";
  }
  if (alarm.suppressed_until && now - *alarm.suppressed_until < composite->extension) {
    reason = fmt::format("{} left ALARM; actions wait for {} s", name, composite->extension.count());
    return "ExtensionPeriod";
  }
  if (alarm.course.state() == AlarmState::kAlarm && alarm.course.told() != AlarmState::kAlarm &&
      now - alarm.course.since() < composite->wait) {
    reason = fmt::format("Actions wait {} s for {} to go into ALARM", composite->wait.count(), name);
    return "WaitPeriod";
  }
  return "";
}

void Alarms::Engine::tell(Alarm& alarm) {
  const auto now = clock.now();
  const auto& definition = alarm.definition;
  std::string reason;
  std::string by = withheld_by(alarm, reason);
  const auto before_told = alarm.course.told();
  const bool was_flapping = alarm.course.flapping();
  const auto telling = alarm.course.tell(alarm.extensions, !by.empty(), now);
  if (by.empty() && alarm.course.flapping()) {
    by = "Flapping";
    reason = fmt::format("More than {} changes within {}", alarm.extensions.flapping_changes,
                         duration_text(alarm.extensions.flapping_within));
  }
  if (!definition.actions_enabled) {
    alarm.course.told_nobody(now);
    // It ends for this alarm all the same, or it would be open for ever, and keep the others silent.
    if (alarm.course.state() != AlarmState::kAlarm) leave_incidents(definition.name, "");
  }
  if (by != alarm.status.suppressed_by || telling || was_flapping != alarm.course.flapping())
    touched.insert(definition.name);
  alarm.status.suppressed_by = std::move(by);
  alarm.status.suppressed_reason = std::move(reason);
  if (telling && definition.actions_enabled) notify(alarm, *telling, before_told);
  // What holds it back has to be followed to its end, so that it is said no longer than it holds.
  if (!alarm.status.suppressed_by.empty() || alarm.course.waits(alarm.extensions)) {
    waiting.insert(definition.name);
  } else {
    waiting.erase(definition.name);
  }
}

void Alarms::Engine::notify(Alarm& alarm, Telling telling, AlarmState before) {
  const auto& definition = alarm.definition;
  const auto now = clock.now();
  const auto state = alarm.course.state();
  const bool about_alarm = telling == Telling::kFlapping || telling == Telling::kReminder;
  std::vector<std::string> actions = actions_for(definition, about_alarm ? AlarmState::kAlarm : state);
  if (telling == Telling::kCalm && actions.empty()) actions = definition.alarm_actions;

  Occasion occasion{telling, before, now, alarm.value, {}, settings.account, settings.region};
  if (!alarm.extensions.incident.empty()) occasion.incident = join_incident(alarm, telling, actions);
  if (actions.empty()) return;
  const auto notification = notification_of(view(alarm), occasion);
  for (const auto& action : actions) {
    if (due.size() >= settings.due_actions) {
      if (++counts.dropped_actions % 1000 == 1) {
        base::log(base::Level::kError, "alarms", "{} actions wait for their sink; those of {} are dropped", due.size(),
                  definition.name);
      }
      return;
    }
    const std::string key = notification.id + " " + action;
    due[key] = {action, notification, definition.is_composite(), now, now, 0};
    new_due.insert(key);
  }
}

// One incident is one message when it opens and one when it ends, however many alarms it has. What an alarm says of its
// own flapping is told whatever the incident's state is; once it is calm, it belongs to the incident or does not.
std::vector<std::string> Alarms::Engine::join_incident(Alarm& alarm, Telling telling,
                                                       std::vector<std::string>& actions) {
  const auto& name = alarm.definition.name;
  if (telling == Telling::kFlapping) return {};
  auto& incident = incidents[alarm.extensions.incident];
  incidents_touched = true;
  if (alarm.course.state() == AlarmState::kAlarm) {
    incident.in_alarm.insert(name);
    if (telling == Telling::kReminder && !incident.heard.contains(name)) actions.clear();
    if (telling == Telling::kCalm) incident.told.insert(actions.begin(), actions.end());
    if (telling == Telling::kChange) {
      const auto known =
          std::erase_if(actions, [&](const std::string& action) { return !incident.told.insert(action).second; });
      if (known == 0 || !actions.empty()) incident.heard.insert(name);
    }
  } else {
    incident.in_alarm.erase(name);
    incident.heard.erase(name);
    if (telling == Telling::kChange && !incident.in_alarm.empty()) actions.clear();
  }
  std::vector<std::string> others;
  for (const auto& other : incident.in_alarm) {
    if (other != name) others.push_back(other);
  }
  if (incident.in_alarm.empty()) incidents.erase(alarm.extensions.incident);
  return others;
}

// Nothing is locked while the sink has it.
std::size_t Alarms::Engine::deliver() {
  std::vector<std::pair<std::string, DueAction>> ready;
  {
    const std::lock_guard lock(mutex);
    const auto now = clock.now();
    for (const auto& [key, action] : due) {
      if (action.next <= now) ready.emplace_back(key, action);
    }
  }
  std::sort(ready.begin(), ready.end(), [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
  std::size_t taken = 0;
  for (auto& [key, action] : ready) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
    }
    const auto result = sink.perform(action.action, action.notification);
    const std::lock_guard lock(mutex);
    const auto now = clock.now();
    const bool final = !result && (result.error().code == Errc::kUnsupported ||
                                   result.error().code == Errc::kNotFound || now - action.first >= kTriedFor);
    if (!result && !final) {
      auto& again = due[key];
      again.next = now + pause_after(again.attempts++);
      continue;
    }
    due.erase(key);
    done.push_back(key);
    taken += result ? 1 : 0;
    counts.dropped_actions += result ? 0 : 1;
    AlarmHistoryItem item;
    item.alarm = action.notification.alarm;
    item.composite = action.composite;
    item.time = now;
    item.kind = AlarmHistoryItem::Kind::kAction;
    item.summary = cut(result ? fmt::format("Successfully executed action {}", action.action)
                              : fmt::format("Failed to execute action {}. Received error: \"{}\"", action.action,
                                            result.error().message),
                       kHistorySummary);
    Json data = Json::object(
        {{"actionState", result ? "Succeeded" : "Failed"},
         {"stateUpdateTimestamp", static_cast<std::int64_t>(action.notification.time.time_since_epoch() / 1ms)},
         {"notificationResource", action.action}});
    if (!result) data.set("error", result.error().message);
    data.set("publishedMessage", action.notification.message);
    item.data = data.dump();
    if (item.data.size() > kHistoryData) {
      data.erase("publishedMessage");
      item.data = data.dump();
    }
    if (item.data.size() > kHistoryData) item.data.clear();
    new_history.push_back(item);
    add_history(std::move(item));
    static_cast<void>(commit().has_value());
  }
  return taken;
}

}  // namespace securebase::monitoring
