#include "k6/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "k6/user_schedule.h"

namespace securebase::k6 {

std::string plan_text(const std::string& script, const std::vector<Scenario>& scenarios) {
  Nanoseconds longest{};
  for (const auto& scenario : scenarios) longest = std::max(longest, scenario.end());
  std::string text =
      fmt::format("\n     script: {}\n  scenarios: {} with at most {} users, at most {} (with graceful stop)\n", script,
                  scenarios.size(), users_needed(scenarios, true), duration_text(longest));
  for (const auto& s : scenarios) {
    std::string how;
    switch (s.executor) {
      case Executor::kSharedIterations:
        how = fmt::format("{} iterations shared among {} users", s.iterations, s.vus);
        break;
      case Executor::kPerVuIterations:
        how = fmt::format("{} iterations for each of {} users", s.iterations, s.vus);
        break;
      case Executor::kConstantVus:
        how = fmt::format("{} looping users for {}", s.vus, duration_text(s.duration));
        break;
      case Executor::kRampingVus:
        how = fmt::format("up to {} looping users for {} over {} stages", s.users_at_most(),
                          duration_text(s.regular_duration()), s.stages.size());
        break;
      case Executor::kConstantArrivalRate:
        how = fmt::format("{} iterations per {} for {} (users: {}-{})", s.rate, duration_text(s.time_unit),
                          duration_text(s.duration), s.pre_allocated_vus, s.max_vus);
        break;
      case Executor::kRampingArrivalRate:
        how = fmt::format("iterations at a ramping rate for {} over {} stages (users: {}-{})",
                          duration_text(s.regular_duration()), s.stages.size(), s.pre_allocated_vus, s.max_vus);
        break;
    }
    text += fmt::format("           * {}: {} (exec: {}, gracefulStop: {})\n", s.name, how, s.exec,
                        duration_text(s.graceful_stop));
  }
  return text + "\n";
}

std::string progress_text(const Shared& shared, const std::deque<ScenarioRun>& runs) {
  const double elapsed = std::chrono::duration<double>(Steady::now() - shared.start).count();
  Nanoseconds longest{};
  for (const auto& run : runs) longest = std::max(longest, run.scenario->start_time + run.scenario->regular_duration());
  const double whole = seconds_of(longest);
  const int percent = whole > 0 ? static_cast<int>(std::min(100.0, 100 * elapsed / whole)) : 100;
  return fmt::format(
      "running ({:d}m{:04.1f}s), {}/{} users, {} complete and {} interrupted iterations, {} dropped  {}%",
      static_cast<int>(elapsed) / 60, elapsed - 60.0 * (static_cast<int>(elapsed) / 60), shared.users_active.load(),
      shared.users_initialised.load(), shared.iterations_completed.load(), shared.iterations_interrupted.load(),
      shared.iterations_dropped.load(), percent);
}

}  // namespace securebase::k6
