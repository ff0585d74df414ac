// When alarms are looked at, and what follows from it.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/engine.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {

namespace {

using base::Json;

constexpr std::size_t kCommitted = 500;  // alarms of one record of the journal

Json state_json(AlarmState state, const std::string& reason, const std::string& reason_data) {
  Json made = Json::object({{"stateValue", to_string(state)}, {"stateReason", reason}});
  if (reason_data.empty()) return made;
  if (auto data = Json::parse(reason_data)) made.set("stateReasonData", std::move(*data));
  return made;
}

// One alarm, as it was when the round began.
struct Work {
  std::shared_ptr<Alarm> alarm;
  std::shared_ptr<const Watch> watch;
  std::uint64_t generation;
  base::TimePoint end;
  AlarmState state;
  bool explain;
  std::optional<Verdict> verdict;
};

}  // namespace

// An alarm is due when a step of its has ended since it was looked at, or when one of its metrics has got samples: they
// may belong to a period that has ended.
std::size_t Alarms::Engine::evaluate() {
  std::vector<Work> works;
  const auto now = clock.now();
  {
    const std::lock_guard lock(mutex);
    index();
    for (auto& [metric, indexed] : metrics) {
      const auto newest = series.newest(metric);
      if (newest == indexed.newest) continue;
      indexed.newest = newest;
      for (auto* alarm : indexed.alarms) alarm->changed = true;
    }
    for (auto& [name, alarm] : alarms) {
      if (!alarm->watch) continue;
      const auto end = alarm->watch->end_at(now, settings.settling);
      if (end == alarm->evaluated_to && !alarm->changed) continue;
      alarm->evaluated_to = end;
      alarm->changed = false;
      works.push_back({alarm, alarm->watch, alarm->generation, end, alarm->status.state,
                       alarm->status.reason.starts_with("Unchecked"), std::nullopt});
    }
  }
  std::size_t failed = 0;
  for (auto& work : works) {
    auto verdict = work.watch->evaluate(series, bands, work.end, work.state, now, work.explain);
    if (verdict) {
      work.verdict = std::move(*verdict);
    } else if (++failed == 1) {
      base::log(base::Level::kWarning, "alarms", "{} cannot be evaluated: {}", work.alarm->definition.name,
                verdict.error().message);
    }
  }
  const std::lock_guard lock(mutex);
  counts.evaluations += works.size();
  counts.failed_evaluations += failed;
  std::size_t changes = 0;
  for (auto& work : works) {
    Alarm& alarm = *work.alarm;
    // Changed, or set by hand, while it was read: the next round sees it.
    if (!work.verdict || alarm.generation != work.generation || alarm.status.state != work.state) continue;
    if (const auto at = alarms.find(alarm.definition.name); at == alarms.end() || at->second != work.alarm) continue;
    alarm.value = work.verdict->value;
    if (!work.verdict->state) continue;
    const auto before = alarm.course.state();
    if (alarm.course.propose(*work.verdict->state, alarm.extensions, now)) {
      entered(alarm, before, std::move(work.verdict->reason));
    } else if (work.explain && *work.verdict->state == before) {
      alarm.status.reason = std::move(work.verdict->reason.text);
      alarm.status.reason_data = std::move(work.verdict->reason.data);
      alarm.status.updated = now;
      touched.insert(alarm.definition.name);
    } else {
      continue;
    }
    if (++changes % kCommitted == 0) {
      evaluate_composites();
      static_cast<void>(commit().has_value());  // logged there
    }
  }
  const std::vector<std::string> names(waiting.begin(), waiting.end());
  for (const auto& name : names) {
    // One that holds leaves ALARM by the clock, with no child that changes.
    const auto at = alarms.find(name);
    if (at != alarms.end() && at->second->rule) evaluate_composite(*at->second);
  }
  evaluate_composites();
  tell_those_that_wait();
  static_cast<void>(commit().has_value());
  forget_old_history();
  rotate_where_due();
  if (!due.empty()) wake.notify_all();
  return works.size();
}

void Alarms::Engine::tell_those_that_wait() {
  const std::vector<std::string> names(waiting.begin(), waiting.end());
  for (const auto& name : names) {
    const auto at = alarms.find(name);
    if (at != alarms.end()) tell(*at->second);
  }
}

void Alarms::Engine::entered(Alarm& alarm, AlarmState before, Reason reason) {
  const auto now = clock.now();
  auto& status = alarm.status;
  AlarmHistoryItem item;
  item.alarm = alarm.definition.name;
  item.composite = alarm.definition.is_composite();
  item.time = now;
  item.kind = AlarmHistoryItem::Kind::kStateUpdate;
  const auto after = alarm.course.state();
  item.summary = fmt::format("Alarm updated from {} to {}", to_string(before), to_string(after));
  reason.text = cut(std::move(reason.text), kReasonBytes);
  const auto data_with = [&](const std::string& old_data, const std::string& new_data) {
    return Json::object({{"version", "1.0"},
                         {"oldState", state_json(before, status.reason, old_data)},
                         {"newState", state_json(after, reason.text, new_data)}})
        .dump();
  };
  item.data = data_with(status.reason_data, reason.data);
  if (item.data.size() > kHistoryData) item.data = data_with("", reason.data);
  if (item.data.size() > kHistoryData) item.data = data_with("", "");
  if (item.data.size() > kHistoryData) item.data.clear();
  new_history.push_back(item);
  add_history(std::move(item));
  status.state = after;
  status.reason = std::move(reason.text);
  status.reason_data = std::move(reason.data);
  status.updated = status.transitioned = now;
  touched.insert(alarm.definition.name);
  dirty_children.insert(alarm.definition.name);
  tell(alarm);
}

// Up from the children that changed; rules have no cycles, so it ends.
void Alarms::Engine::evaluate_composites() {
  if (dirty_children.empty()) return;
  index();
  while (!dirty_children.empty()) {
    std::set<std::string> children;
    children.swap(dirty_children);
    std::set<std::string> looked_at;
    for (const auto& child : children) {
      const auto found = parents.find(child);
      if (found == parents.end()) continue;
      looked_at.insert(found->second.begin(), found->second.end());
    }
    for (const auto& name : looked_at) {
      const auto at = alarms.find(name);
      if (at == alarms.end()) continue;
      evaluate_composite(*at->second);
      waiting.insert(name);  // its suppressor may be what changed
    }
  }
}

void Alarms::Engine::evaluate_composite(Alarm& alarm) {
  const auto now = clock.now();
  const bool holds = alarm.rule->holds([this](const std::string& name) -> std::optional<AlarmState> {
    const auto at = alarms.find(name);
    return at == alarms.end() ? std::nullopt : std::optional(at->second->status.state);
  });
  const auto before = alarm.course.state();
  const bool fresh = alarm.status.reason.starts_with("Unchecked");
  if (!alarm.course.propose(holds ? AlarmState::kAlarm : AlarmState::kOk, alarm.extensions, now)) return;
  // The children that brought it about: those that changed last.
  Json triggers = Json::array();
  const Alarm* newest = nullptr;
  for (const auto& name : alarm.rule->names()) {
    const auto at = alarms.find(name);
    if (at == alarms.end()) continue;
    if (!newest || at->second->status.transitioned > newest->status.transitioned) newest = at->second.get();
  }
  for (const auto& name : alarm.rule->names()) {
    const auto at = alarms.find(name);
    if (at == alarms.end() || at->second->status.transitioned != newest->status.transitioned) continue;
    triggers.push_back(
        Json::object({{"arn", arn(name)},
                      {"state", Json::object({{"value", to_string(at->second->status.state)},
                                              {"timestamp", json_time(at->second->status.transitioned)}})}}));
  }
  Reason reason;
  reason.text = fresh || !newest ? fmt::format("{} was created and its alarm rule evaluates to {}",
                                               arn(alarm.definition.name), to_string(alarm.course.state()))
                                 : fmt::format("{} transitioned to {} at {}", arn(newest->definition.name),
                                               to_string(newest->status.state), long_time(newest->status.transitioned));
  reason.data = Json::object({{"triggeringAlarms", std::move(triggers)}}).dump();
  entered(alarm, before, std::move(reason));
}

}  // namespace securebase::monitoring
