// What alarms there are.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "monitoring/alarms/definition.h"
#include "monitoring/alarms/drift.h"
#include "monitoring/alarms/engine.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {

namespace {

using base::Json;

AlarmHistoryItem configured(const Alarm& alarm, base::TimePoint now, std::string_view what, std::string_view member) {
  AlarmHistoryItem item;
  item.alarm = alarm.definition.name;
  item.composite = alarm.definition.is_composite();
  item.time = now;
  item.kind = AlarmHistoryItem::Kind::kConfigurationUpdate;
  item.summary = cut(fmt::format("Alarm \"{}\" {}", alarm.definition.name, what), kHistorySummary);
  const std::string_view type = what == "created" ? "Create" : what == "deleted" ? "Delete" : "Update";
  item.data =
      Json::object({{"version", "1.0"}, {"type", type}, {std::string(member), to_json(alarm.definition)}}).dump();
  if (item.data.size() > kHistoryData) item.data = Json::object({{"version", "1.0"}, {"type", type}}).dump();
  return item;
}

}  // namespace

std::string Alarms::Engine::arn(std::string_view name) const {
  return fmt::format("arn:aws:cloudwatch:{}:{}:alarm:{}", settings.region, settings.account, name);
}

AlarmView Alarms::Engine::view(const Alarm& alarm) const {
  AlarmView made{alarm.definition, alarm.status, arn(alarm.definition.name)};
  made.status.flapping = alarm.course.flapping();
  return made;
}

// The definition has been validated.
void Alarms::Engine::compile(Alarm& alarm) {
  alarm.extensions = *extensions_from(alarm.definition.tags);
  alarm.watch = nullptr;
  alarm.rule.reset();
  if (const auto* composite = std::get_if<CompositeRule>(&alarm.definition.rule)) {
    alarm.rule = *Rule::parse(composite->rule);
  } else {
    alarm.watch = *Watch::make(alarm.definition);
  }
  ++alarm.generation;
  alarm.changed = true;
  alarm.evaluated_to = {};
  index_stale = true;
}

void Alarms::Engine::index() {
  if (!std::exchange(index_stale, false)) return;
  std::map<MetricId, Metric> before;
  before.swap(metrics);
  parents.clear();
  for (auto& [name, alarm] : alarms) {
    if (alarm->watch) {
      for (const auto& metric : alarm->watch->metrics()) metrics[metric].alarms.push_back(alarm.get());
      continue;
    }
    for (const auto& child : alarm->rule->names()) parents[child].insert(name);
    const auto& suppressor = std::get<CompositeRule>(alarm->definition.rule).suppressor;
    if (!suppressor.empty()) parents[std::string(name_in_arn(suppressor))].insert(name);
  }
  for (auto& [metric, indexed] : metrics) {
    if (const auto at = before.find(metric); at != before.end()) indexed.newest = at->second.newest;
  }
}

Result<Done> Alarms::Engine::check_composite(const AlarmDefinition& definition, const Rule& rule) const {
  const auto& composite = std::get<CompositeRule>(definition.rule);
  std::string unknown;
  for (const auto& name : rule.names()) {
    if (name != definition.name && !alarms.contains(name)) unknown += (unknown.empty() ? "" : ", ") + name;
  }
  if (!unknown.empty()) {
    return Error{Errc::kNotFound,
                 fmt::format("AlarmRule of {} names alarms that do not exist: {}", definition.name, unknown)};
  }
  if (!composite.suppressor.empty() && !alarms.contains(std::string(name_in_arn(composite.suppressor)))) {
    return Error{Errc::kNotFound, fmt::format("ActionsSuppressor {} does not exist", composite.suppressor)};
  }
  // Does anything that it looks at look at it?
  std::vector<std::string> open(rule.names());
  std::set<std::string> seen;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (name == definition.name) {
      return Error{Errc::kConflict, fmt::format("AlarmRule of {} is a cycle: it depends on itself", definition.name)};
    }
    if (!seen.insert(name).second) continue;
    const auto at = alarms.find(name);
    if (at != alarms.end() && at->second->rule) {
      open.insert(open.end(), at->second->rule->names().begin(), at->second->rule->names().end());
    }
  }
  return Done{};
}

Result<Done> Alarms::Engine::put(AlarmDefinition definition, bool from_stack) {
  if (auto valid = validate(definition); !valid) return valid;
  const auto now = clock.now();
  const auto at = alarms.find(definition.name);
  const bool is_new = at == alarms.end();
  if (is_new && alarms.size() >= settings.alarms) {
    return Error{Errc::kLimit, fmt::format("there are {} alarms already, as many as may be", alarms.size())};
  }
  if (!is_new && at->second->definition.is_composite() != definition.is_composite()) {
    return Error{Errc::kMalformed, fmt::format("{} is a {} alarm already; delete it to make it another kind",
                                               definition.name, definition.is_composite() ? "metric" : "composite")};
  }
  if (definition.is_composite()) {
    const auto rule = Rule::parse(std::get<CompositeRule>(definition.rule).rule);
    if (auto fits = check_composite(definition, *rule); !fits) return fits;
  }
  if (!is_new && at->second->definition == definition && at->second->status.from_stack == from_stack) return Done{};
  auto& alarm = alarms[definition.name];
  if (is_new) {
    alarm = std::make_shared<Alarm>();
    alarm->status.reason = "Unchecked: Initial alarm creation";
    alarm->status.updated = alarm->status.transitioned = now;
  }
  const bool same = !is_new && alarm->definition == definition;
  alarm->definition = std::move(definition);
  alarm->status.from_stack = from_stack;
  if (!same) {
    alarm->status.configured = now;
    compile(*alarm);
    leave_incidents(alarm->definition.name, alarm->extensions.incident);
    if (alarm->watch && !alarm->watch->looks_around().empty()) {
      base::log(base::Level::kWarning, "alarms",
                "{}: {} looks at more than one period; it sees the {} periods that are read, not EvaluationPeriods",
                alarm->definition.name, alarm->watch->looks_around(),
                std::get<MetricRule>(alarm->definition.rule).evaluation_periods + kMorePeriods);
    }
    auto item = configured(*alarm, now, is_new ? "created" : "updated", is_new ? "createdAlarm" : "updatedAlarm");
    new_history.push_back(item);
    add_history(std::move(item));
  }
  const std::string& name = alarm->definition.name;
  touched.insert(name);
  removed.erase(name);
  if (alarm->course.waits(alarm->extensions)) waiting.insert(name);
  if (alarm->rule) {
    index();
    evaluate_composite(*alarm);
    evaluate_composites();
  }
  return Done{};
}

void Alarms::Engine::leave_incidents(const std::string& name, const std::string& but) {
  for (auto incident = incidents.begin(); incident != incidents.end();) {
    if (!but.empty() && incident->first == but) {
      ++incident;
      continue;
    }
    incidents_touched |= incident->second.in_alarm.erase(name) > 0;
    incident->second.heard.erase(name);
    incident = incident->second.in_alarm.empty() ? incidents.erase(incident) : std::next(incident);
  }
}

void Alarms::Engine::erase(const std::string& name) {
  const auto at = alarms.find(name);
  if (at == alarms.end()) return;
  auto item = configured(*at->second, clock.now(), "deleted", "deletedAlarm");
  new_history.push_back(item);
  add_history(std::move(item));
  alarms.erase(at);
  waiting.erase(name);
  touched.erase(name);
  removed.insert(name);
  index_stale = true;
  leave_incidents(name, "");
}

// --- the door -------------------------------------------------------------------------------------------------------

Result<Done> Alarms::put(AlarmDefinition definition) {
  const std::lock_guard lock(engine_->mutex);
  const auto at = engine_->alarms.find(definition.name);
  // The tags of PutMetricAlarm count for new alarms only (CloudWatch API, PutMetricAlarm, Tags).
  if (at != engine_->alarms.end()) definition.tags = at->second->definition.tags;
  const bool from_stack = at != engine_->alarms.end() && at->second->status.from_stack;
  if (auto done = engine_->put(std::move(definition), from_stack); !done) return done;
  return engine_->commit();
}

Result<Done> Alarms::remove(const std::vector<std::string>& names) {
  const std::lock_guard lock(engine_->mutex);
  engine_->index();
  const std::set<std::string> going(names.begin(), names.end());
  for (const auto& name : going) {
    if (!engine_->alarms.contains(name)) return Error{Errc::kNotFound, fmt::format("There is no alarm {}", name)};
    const auto parents = engine_->parents.find(name);
    if (parents == engine_->parents.end()) continue;
    for (const auto& parent : parents->second) {
      if (going.contains(parent)) continue;
      return Error{
          Errc::kConflict,
          fmt::format("Alarm {} is used by the composite alarm {}; delete or change that first", name, parent)};
    }
  }
  for (const auto& name : going) engine_->erase(name);
  return engine_->commit();
}

Result<Done> Alarms::enable_actions(const std::vector<std::string>& names, bool enabled) {
  const std::lock_guard lock(engine_->mutex);
  for (const auto& name : names) {
    const auto at = engine_->alarms.find(name);
    if (at == engine_->alarms.end() || at->second->definition.actions_enabled == enabled) continue;
    auto definition = at->second->definition;
    definition.actions_enabled = enabled;
    if (auto done = engine_->put(std::move(definition), at->second->status.from_stack); !done) return done;
  }
  return engine_->commit();
}

Result<Done> Alarms::tag(const std::string& name, const std::map<std::string, std::optional<std::string>>& tags) {
  const std::lock_guard lock(engine_->mutex);
  const auto at = engine_->alarms.find(name);
  if (at == engine_->alarms.end()) return Error{Errc::kNotFound, fmt::format("There is no alarm {}", name)};
  auto definition = at->second->definition;
  for (const auto& [key, value] : tags) {
    if (value) {
      definition.tags[key] = *value;
    } else {
      definition.tags.erase(key);
    }
  }
  if (auto done = engine_->put(std::move(definition), at->second->status.from_stack); !done) return done;
  return engine_->commit();
}

Result<Done> Alarms::apply(const AlarmsConfig& config) {
  constexpr std::size_t kCommitted = 500;  // a record is written whole
  const std::lock_guard lock(engine_->mutex);
  auto& engine = *engine_;
  engine.applied.clear();
  for (const auto& definition : config.alarms) engine.applied[definition.name] = definition;
  std::size_t changes = 0;
  const auto committed = [&](bool always) -> Result<Done> {
    return always || ++changes % kCommitted == 0 ? engine.commit() : Result<Done>(Done{});
  };
  // What composite alarms look at has to be there before them; of those, as often as one of them found its children.
  std::vector<const AlarmDefinition*> open;
  for (const auto& definition : config.alarms) {
    if (definition.is_composite()) {
      open.push_back(&definition);
      continue;
    }
    if (auto done = engine.put(definition, true); !done) return done.error().within("alarm " + definition.name);
    if (auto done = committed(false); !done) return done;
  }
  Result<Done> last = Done{};
  for (bool progress = true; progress && !open.empty();) {
    progress = false;
    std::erase_if(open, [&](const AlarmDefinition* definition) {
      auto done = engine.put(*definition, true);
      if (!done) last = done.error().within("alarm " + definition->name);
      progress = progress || done.has_value();
      return done.has_value();
    });
  }
  if (!open.empty()) return last;
  std::vector<std::string> going;
  for (const auto& [name, alarm] : engine.alarms) {
    if (alarm->status.from_stack && !engine.applied.contains(name)) going.push_back(name);
  }
  for (const auto& name : going) engine.erase(name);
  return committed(true);
}

std::vector<stack::Drifted> Alarms::drift() const {
  const std::lock_guard lock(engine_->mutex);
  std::vector<stack::Drifted> drifted;
  for (const auto& [name, wanted] : engine_->applied) {
    const auto at = engine_->alarms.find(name);
    if (at == engine_->alarms.end()) {
      drifted.push_back({std::string(terraform_type(wanted)), name, true, {}});
    } else if (at->second->definition != wanted) {
      drifted.push_back({std::string(terraform_type(wanted)), name, false, drift_of(at->second->definition, wanted)});
    }
  }
  return drifted;
}

std::optional<AlarmView> Alarms::find(const std::string& name) const {
  const std::lock_guard lock(engine_->mutex);
  const auto at = engine_->alarms.find(name);
  return at == engine_->alarms.end() ? std::nullopt : std::optional(engine_->view(*at->second));
}

std::string Alarms::arn(std::string_view name) const { return engine_->arn(name); }

std::vector<AlarmView> Alarms::list(const AlarmFilter& filter) const {
  const std::lock_guard lock(engine_->mutex);
  std::set<std::string> only(filter.names.begin(), filter.names.end());
  if (!filter.children_of.empty()) {
    const auto parent = engine_->alarms.find(filter.children_of);
    if (parent == engine_->alarms.end() || !parent->second->rule) return {};
    only = {parent->second->rule->names().begin(), parent->second->rule->names().end()};
  }
  const auto fits = [&](const Alarm& alarm) {
    const auto& definition = alarm.definition;
    if (!(definition.is_composite() ? filter.composite_alarms : filter.metric_alarms)) return false;
    if (filter.state && alarm.status.state != *filter.state) return false;
    if (!filter.parents_of.empty()) {
      if (!alarm.rule || !std::binary_search(alarm.rule->names().begin(), alarm.rule->names().end(), filter.parents_of))
        return false;
    }
    if (filter.action_prefix.empty()) return true;
    for (const auto* actions :
         {&definition.ok_actions, &definition.alarm_actions, &definition.insufficient_data_actions}) {
      for (const auto& action : *actions) {
        if (action.starts_with(filter.action_prefix)) return true;
      }
    }
    return false;
  };
  std::vector<AlarmView> found;
  for (auto at = engine_->alarms.upper_bound(filter.after); at != engine_->alarms.end() && found.size() < filter.limit;
       ++at) {
    if (!filter.prefix.empty() && !at->first.starts_with(filter.prefix)) {
      if (at->first > filter.prefix) break;
      continue;
    }
    if ((!filter.names.empty() || !filter.children_of.empty()) && !only.contains(at->first)) continue;
    if (fits(*at->second)) found.push_back(engine_->view(*at->second));
  }
  return found;
}

std::vector<AlarmHistoryItem> Alarms::history(const HistoryFilter& filter) const {
  const std::lock_guard lock(engine_->mutex);
  std::vector<AlarmHistoryItem> found;
  std::size_t skip = filter.skip;
  const auto take = [&](const AlarmHistoryItem& item) {
    if (!filter.alarm.empty() && item.alarm != filter.alarm) return true;
    if (!(item.composite ? filter.composite_alarms : filter.metric_alarms)) return true;
    if (filter.kind && item.kind != *filter.kind) return true;
    if ((filter.from && item.time < *filter.from) || (filter.to && item.time > *filter.to)) return true;
    if (skip > 0) return --skip, true;
    if (found.size() == filter.limit) return false;
    found.push_back(item);
    return true;
  };
  const auto& all = engine_->history;
  if (filter.oldest_first) {
    for (auto at = all.begin(); at != all.end() && take(*at); ++at) {
    }
  } else {
    for (auto at = all.rbegin(); at != all.rend() && take(*at); ++at) {
    }
  }
  return found;
}

}  // namespace securebase::monitoring
