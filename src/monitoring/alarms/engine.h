// The engine behind the door. One mutex guards what is known of the alarms; numbers are read outside of it, from what
// was copied of an alarm, and a result counts only if the alarm is still the same. engine_*.cc: what is configured,
// evaluated, told and kept.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "monitoring/alarms.h"
#include "monitoring/alarms/course.h"
#include "monitoring/alarms/extensions.h"
#include "monitoring/alarms/journal.h"
#include "monitoring/alarms/rule.h"
#include "monitoring/alarms/watch.h"
#include "monitoring/math/band.h"

namespace securebase::monitoring {

struct Alarm {
  AlarmDefinition definition;
  AlarmStatus status;
  Course course;
  // From the definition:
  Extensions extensions;
  std::shared_ptr<const Watch> watch;  // of a metric alarm
  std::optional<Rule> rule;            // of a composite alarm
  // Of the evaluation:
  base::TimePoint evaluated_to;  // periods before this have been looked at
  bool changed = true;           // there is more to see than at evaluated_to
  std::uint64_t generation = 0;  // raised by every change of the definition
  std::optional<double> value;
  // Of a composite alarm with a suppressor: when that was in ALARM last.
  std::optional<base::TimePoint> suppressed_until;
};

struct Incident {
  std::set<std::string> in_alarm;  // members
  std::set<std::string> told;      // ARNs that know of it
  std::set<std::string> heard;     // members whose own messages have gone out
};

struct DueAction {
  std::string action;
  AlarmNotification notification;
  bool composite = false;
  base::TimePoint first;
  base::TimePoint next;
  int attempts = 0;
};

struct Alarms::Engine {
  Engine(AlarmSettings settings, const Series& series, ActionSink& sink, const base::Clock& clock);

  // --- engine_store.cc: what is on disk
  Result<Done> open();
  // Writes what was touched since the last commit as one record, which is there whole or not at all.
  Result<Done> commit();
  void replay(const base::Json& record, Journal::Part part);
  void resume_suppression();
  std::vector<base::Json> snapshot() const;
  void rotate_where_due();
  void add_history(AlarmHistoryItem item);
  void forget_old_history();

  // --- engine_config.cc
  Result<Done> put(AlarmDefinition definition, bool from_stack);
  Result<Done> check_composite(const AlarmDefinition& definition, const Rule& rule) const;
  void erase(const std::string& name);
  void compile(Alarm& alarm);
  void index();
  AlarmView view(const Alarm& alarm) const;
  std::string arn(std::string_view name) const;

  // --- engine_evaluate.cc
  std::size_t evaluate();
  // The alarm has changed its state: history, and its parents are looked at.
  void entered(Alarm& alarm, AlarmState before, Reason reason);
  void evaluate_composites();
  void evaluate_composite(Alarm& alarm);
  void tell_those_that_wait();

  // --- engine_actions.cc
  void tell(Alarm& alarm);
  std::string withheld_by(Alarm& alarm, std::string& reason);
  void notify(Alarm& alarm, Telling telling, AlarmState before);
  // Who is told what of an alarm of an incident; also the names of its other members that are in ALARM.
  std::vector<std::string> join_incident(Alarm& alarm, Telling telling, std::vector<std::string>& actions);
  // The alarm is in none of them, `but` one.
  void leave_incidents(const std::string& name, const std::string& but);
  std::size_t deliver();

  // Constant after construction.
  const AlarmSettings settings;
  const Series& series;
  ActionSink& sink;
  const base::Clock& clock;
  // Any thread.
  math::Bands bands;

  mutable std::mutex mutex;  // guards what follows
  std::unique_ptr<Journal> journal;
  std::map<std::string, std::shared_ptr<Alarm>> alarms;  // by name
  std::map<std::string, std::set<std::string>> parents;  // composite alarms and suppressed ones, by the child's name
  struct Metric {
    std::vector<Alarm*> alarms;
    std::optional<base::TimePoint> newest;
  };
  std::map<MetricId, Metric> metrics;
  bool index_stale = true;
  std::deque<AlarmHistoryItem> history;  // oldest first
  std::unordered_map<std::string, std::size_t> history_counts;
  std::map<std::string, Incident> incidents;
  std::map<std::string, DueAction> due;  // by notification id and action
  std::vector<AnomalyDetector> detectors;
  std::map<std::string, AlarmDefinition> applied;  // what the stack said last
  std::set<std::string> waiting;                   // alarms that may have something to tell later
  std::set<std::string> dirty_children;            // whose parents have to be looked at
  Counts counts;
  // Touched since the last commit:
  std::set<std::string> touched;
  std::set<std::string> removed;
  std::vector<AlarmHistoryItem> new_history;
  std::set<std::string> new_due;
  std::vector<std::string> done;
  bool incidents_touched = false;
  bool detectors_touched = false;

  // The exclusions of anomaly detectors have a lock of their own: bands are computed while `mutex` is not held.
  mutable std::mutex detectors_mutex;

  std::condition_variable wake;
  bool stopping = false;
  std::thread evaluator;
  std::thread deliverer;
};

}  // namespace securebase::monitoring
