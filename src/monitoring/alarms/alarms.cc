// The door's threads, and what is neither configuration nor evaluation.
#include "monitoring/alarms.h"

#include <fmt/format.h>

#include "monitoring/alarms/engine.h"

namespace securebase::monitoring {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostDetectors = 1000;
constexpr std::size_t kMostExcluded = 100;

bool same_metric(const MetricStat& a, const MetricStat& b) { return a.metric == b.metric && a.stat == b.stat; }

}  // namespace

Alarms::Engine::Engine(AlarmSettings made, const Series& numbers, ActionSink& taker, const base::Clock& time)
    : settings(std::move(made)), series(numbers), sink(taker), clock(time), bands([this](const MetricStat& metric) {
        const std::lock_guard lock(detectors_mutex);
        std::vector<math::ExcludedRange> excluded;
        for (const auto& detector : detectors) {
          if (!same_metric(detector.metric, metric)) continue;
          for (const auto& [from, to] : detector.excluded) excluded.push_back({from, to});
        }
        return excluded;
      }) {}

Alarms::Alarms(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Result<std::unique_ptr<Alarms>> Alarms::open(AlarmSettings settings, const Series& series, ActionSink& sink,
                                             const base::Clock& clock) {
  auto engine = std::make_unique<Engine>(std::move(settings), series, sink, clock);
  if (auto opened = engine->open(); !opened) return opened.error();
  return std::unique_ptr<Alarms>(new Alarms(std::move(engine)));
}

Alarms::~Alarms() { stop(); }

void Alarms::start() {
  // The evaluator keeps its own second: the deliverer is the one that is woken early.
  engine_->evaluator = std::thread([this] {
    for (;;) {
      const auto next = std::chrono::steady_clock::now() + 1s;
      engine_->evaluate();
      std::unique_lock lock(engine_->mutex);
      while (!engine_->stopping && engine_->wake.wait_until(lock, next) != std::cv_status::timeout) {
      }
      if (engine_->stopping) return;
    }
  });
  engine_->deliverer = std::thread([this] {
    for (;;) {
      engine_->deliver();
      std::unique_lock lock(engine_->mutex);
      if (engine_->stopping) return;
      engine_->wake.wait_for(lock, 1s);
      if (engine_->stopping) return;
    }
  });
}

void Alarms::stop() {
  {
    const std::lock_guard lock(engine_->mutex);
    engine_->stopping = true;
  }
  engine_->wake.notify_all();
  if (engine_->evaluator.joinable()) engine_->evaluator.join();
  if (engine_->deliverer.joinable()) engine_->deliverer.join();
}

std::size_t Alarms::evaluate() { return engine_->evaluate(); }
std::size_t Alarms::deliver() { return engine_->deliver(); }

Alarms::Counts Alarms::counts() const {
  const std::lock_guard lock(engine_->mutex);
  Counts made = engine_->counts;
  made.alarms = engine_->alarms.size();
  for (const auto& [name, alarm] : engine_->alarms) made.in_alarm += alarm->status.state == AlarmState::kAlarm ? 1 : 0;
  made.due_actions = engine_->due.size();
  return made;
}

Result<Done> Alarms::set_state(const std::string& name, AlarmState state, const std::string& reason,
                               const std::string& reason_data) {
  if (!reason_data.empty() && !base::Json::parse(reason_data)) {
    return Error{Errc::kMalformed, "StateReasonData was not valid JSON"};
  }
  const std::lock_guard lock(engine_->mutex);
  const auto at = engine_->alarms.find(name);
  if (at == engine_->alarms.end()) return Error{Errc::kNotFound, fmt::format("There is no alarm {}", name)};
  Alarm& alarm = *at->second;
  const auto before = alarm.course.state();
  if (alarm.course.set(state, alarm.extensions, engine_->clock.now())) {
    engine_->entered(alarm, before, {reason, reason_data});
    engine_->evaluate_composites();
  } else {
    alarm.status.reason = reason;
    alarm.status.reason_data = reason_data;
    alarm.status.updated = engine_->clock.now();
    engine_->touched.insert(name);
  }
  auto written = engine_->commit();
  engine_->wake.notify_all();
  return written;
}

Result<Done> Alarms::put_detector(AnomalyDetector detector) {
  if (detector.excluded.size() > kMostExcluded) {
    return Error{Errc::kLimit, fmt::format("an anomaly detector has at most {} excluded time ranges", kMostExcluded)};
  }
  for (const auto& [from, to] : detector.excluded) {
    if (to <= from) return Error{Errc::kMalformed, "An excluded time range ends after it starts"};
  }
  const std::lock_guard lock(engine_->mutex);
  {
    const std::lock_guard guard(engine_->detectors_mutex);
    auto& all = engine_->detectors;
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return same_metric(one.metric, detector.metric); });
    if (at != all.end()) {
      *at = std::move(detector);
    } else if (all.size() >= kMostDetectors) {
      return Error{Errc::kLimit, fmt::format("there are {} anomaly detectors already, as many as may be", all.size())};
    } else {
      all.push_back(std::move(detector));
    }
  }
  engine_->bands.forget();
  engine_->detectors_touched = true;
  return engine_->commit();
}

Result<Done> Alarms::remove_detector(const MetricStat& metric) {
  const std::lock_guard lock(engine_->mutex);
  {
    const std::lock_guard guard(engine_->detectors_mutex);
    const auto gone =
        std::erase_if(engine_->detectors, [&](const auto& one) { return same_metric(one.metric, metric); });
    if (gone == 0) return Error{Errc::kNotFound, "There is no anomaly detector of this metric and statistic"};
  }
  engine_->bands.forget();
  engine_->detectors_touched = true;
  return engine_->commit();
}

std::vector<AnomalyDetector> Alarms::detectors() const {
  const std::lock_guard lock(engine_->detectors_mutex);
  return engine_->detectors;
}

Result<Backtest> Alarms::backtest(const AlarmDefinition& definition, base::TimePoint from, base::TimePoint to) const {
  constexpr std::size_t kShown = 10'000;
  if (definition.is_composite()) {
    return Error{Errc::kUnsupported, "a composite alarm has no numbers of its own; backtest its children"};
  }
  if (to <= from || to - from > 24h * 31)
    return Error{Errc::kMalformed, "a backtest is over more than nothing and at most 31 days"};
  if (auto valid = validate(definition); !valid) return valid.error();
  auto watch = Watch::make(definition);
  if (!watch) return watch.error();
  const auto& extensions = (*watch)->extensions();
  const auto step = (*watch)->step();
  Backtest made;
  Course course;
  math::Bands bands;  // of the past: those of now are no use
  for (auto now = (*watch)->end_at(from, 0s) + step; now <= to; now += step) {
    auto verdict =
        (*watch)->evaluate(engine_->series, bands, now - extensions.settling.value_or(0s), course.state(), now, false);
    if (!verdict) return verdict.error();
    ++made.evaluations;
    if (course.state() == AlarmState::kAlarm) made.in_alarm += step;
    if (verdict->state && course.propose(*verdict->state, extensions, now)) {
      if (course.state() == AlarmState::kAlarm) ++made.times_in_alarm;
      if (made.changes.size() < kShown) made.changes.push_back({now, course.state(), std::move(verdict->reason.text)});
    }
    const auto telling = course.tell(extensions, extensions.in_maintenance(now), now);
    if (!telling) continue;
    const bool about_alarm =
        telling == Telling::kFlapping || telling == Telling::kReminder || telling == Telling::kCalm;
    const auto& actions = about_alarm || course.state() == AlarmState::kAlarm ? definition.alarm_actions
                          : course.state() == AlarmState::kOk                 ? definition.ok_actions
                                                                              : definition.insufficient_data_actions;
    if (!actions.empty()) ++made.notifications;
  }
  return made;
}

}  // namespace securebase::monitoring
