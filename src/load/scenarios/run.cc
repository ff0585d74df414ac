#include "load/scenarios/run.h"

#include <fmt/format.h>

#include "load/measure/collector.h"
#include "load/scenarios/http_measures.h"
#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

double seconds_in(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

base::Json describe(const RunSettings& settings) {
  auto phases = base::Json::array();
  for (const auto& phase : settings.phases) {
    auto one = base::Json::object({{"seconds", seconds_in(phase.duration)}});
    if (!phase.name.empty()) one.set("name", phase.name);
    if (phase.kind == Phase::Kind::kRate) one.set("rate", phase.rate);
    if (phase.kind == Phase::Kind::kRate && phase.ramp_to) one.set("ramp_to", *phase.ramp_to);
    if (phase.kind == Phase::Kind::kCount) one.set(settings.open() ? "arrivals" : "users", phase.count);
    phases.push_back(std::move(one));
  }
  return base::Json::object({{"phases", std::move(phases)},
                             {"warm_up_seconds", seconds_in(settings.warm_up)},
                             {"think_seconds", seconds_in(settings.work.think)},
                             {"threads", std::uint64_t{settings.threads}},
                             {"steps", std::uint64_t{settings.work.steps.size()}}});
}

}  // namespace

std::vector<Phase> users_for(std::uint64_t users, std::chrono::nanoseconds duration) {
  Phase come;
  come.kind = Phase::Kind::kCount;
  come.count = users;
  Phase go_on;
  go_on.kind = Phase::Kind::kPause;
  go_on.duration = duration;
  return {come, go_on};
}

std::optional<RunResult::Check> doubt_of_unanswered(const RunResult& result) {
  constexpr double kShare = 0.01;  // of what would have been sent
  const auto summary = summarise(result.measured.values, result.measured.duration);
  const double unsent = result.measured.total(kUnsent);
  if (summary.unanswered == 0 || unsent < kShare * (static_cast<double>(summary.requests) + unsent))
    return std::nullopt;
  RunResult::Check check;
  check.name = "the target answered to the end";
  check.seen = fmt::format("{} requests were unanswered at the end, for up to {:.1f} s: they stand for {:.0f} %",
                           summary.unanswered, summary.longest_unanswered_ms / 1000,
                           100 * unsent / (static_cast<double>(summary.requests) + unsent));
  return check;
}

Result<RunResult> run(const RunSettings& settings, const StopFlag& stop, const std::function<void(const Live&)>& told) {
  // Requests under way get their time: in an open model all that they may take. In a closed one users begin nothing new
  // when the time is over, and an answer that is not there a second later is told as unanswered rather than waited for:
  // a target that hangs would draw every run out by its timeout.
  constexpr std::chrono::seconds kGrace{1};
  if (settings.work.steps.empty()) return Error{Errc::kMalformed, "there is nothing to be asked"};
  Collector collector(base::system_clock());
  EngineSettings engine_settings;
  engine_settings.phases = settings.phases;
  engine_settings.share = settings.share;
  engine_settings.workers = settings.threads;
  engine_settings.warm_up = settings.warm_up;
  engine_settings.grace =
      settings.open() ? std::chrono::nanoseconds{settings.limits.whole + kGrace} : std::chrono::nanoseconds{kGrace};
  engine_settings.pool = settings.pool;
  engine_settings.limits = settings.limits;
  engine_settings.tls = settings.tls;
  auto engine = Engine::make(engine_settings, collector, [&](WorkerContext&, std::size_t index) {
    return std::make_unique<HttpFlow>(settings.work, collector, settings.share.index * settings.threads + index);
  });
  if (!engine) return engine.error();
  auto schedule = Schedule::make(settings.phases);
  if (!schedule) return schedule.error();

  RunResult result;
  result.scenario = settings.scenario;
  result.target = settings.target;
  result.open = settings.open();
  result.started = base::system_clock().now();
  result.settings = describe(settings);
  result.generator = (*engine)->run([&](const Engine::Progress& progress) {
    if (stop.load(std::memory_order_relaxed)) (*engine)->stop();
    if (told) told(Live{progress, schedule->duration(), collector.recent(), settings.open()});
  });
  result.interrupted = (*engine)->was_stopped();
  result.measured = collector.measured();
  // Users of a closed model are stopped at the end, which is their way to finish.
  if (!settings.open()) result.generator.unfinished = 0;
  result.invalid_because = why_invalid(result.generator, tightest_ms(settings.thresholds));
  for (const auto& threshold : settings.thresholds) {
    result.thresholds.push_back(judge(threshold, result.measured, result.open));
  }
  return result;
}

}  // namespace securebase::load
