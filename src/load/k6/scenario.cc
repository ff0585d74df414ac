#include "k6/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace securebase::k6 {

namespace {

struct ExecutorName {
  Executor executor;
  std::string_view name;
};
constexpr std::array<ExecutorName, 6> kExecutors = {{{Executor::kSharedIterations, "shared-iterations"},
                                                     {Executor::kPerVuIterations, "per-vu-iterations"},
                                                     {Executor::kConstantVus, "constant-vus"},
                                                     {Executor::kRampingVus, "ramping-vus"},
                                                     {Executor::kConstantArrivalRate, "constant-arrival-rate"},
                                                     {Executor::kRampingArrivalRate, "ramping-arrival-rate"}}};

constexpr double kMostSecondsOfStages = 10.0 * 366 * 86'400;

Nanoseconds total_of(const std::vector<Stage>& stages) {
  Nanoseconds total{};
  for (const auto& stage : stages) total += stage.duration;
  return total;
}

Error bad(std::string_view where, std::string_view what) {
  return Error{Errc::kMalformed, fmt::format("{}: {}", where, what)};
}

}  // namespace

std::string_view to_string(Executor executor) {
  for (const auto& entry : kExecutors) {
    if (entry.executor == executor) return entry.name;
  }
  return "";
}

std::optional<Executor> executor_from(std::string_view name) {
  for (const auto& entry : kExecutors) {
    if (entry.name == name) return entry.executor;
  }
  return std::nullopt;
}

std::string names_of_executors() {
  std::string names;
  for (const auto& entry : kExecutors) names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.name);
  return names;
}

Result<Done> validate(const Scenario& scenario) {
  const std::string where = fmt::format("scenarios.{}", scenario.name);
  const bool plain = !scenario.name.empty() && std::all_of(scenario.name.begin(), scenario.name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  if (!plain) return bad(where, "a scenario's name has only letters, digits, underscores and dashes");
  const auto users = scenario.users_at_most();
  if (users > Scenario::kMostVus) {
    return bad(where, fmt::format("asks for {} users: one generator has at most {}", users, Scenario::kMostVus));
  }
  double staged_seconds = 0;
  for (const auto& stage : scenario.stages) staged_seconds += seconds_of(stage.duration);
  if (staged_seconds > kMostSecondsOfStages) return bad(where + ".stages", "last more than 10 years");
  switch (scenario.executor) {
    case Executor::kSharedIterations:
    case Executor::kPerVuIterations:
      if (scenario.vus < 1) return bad(where + ".vus", "must be at least 1");
      if (scenario.iterations < 1) return bad(where + ".iterations", "must be at least 1");
      if (scenario.executor == Executor::kSharedIterations && scenario.iterations < scenario.vus) {
        return bad(where + ".iterations",
                   fmt::format("{} iterations cannot be shared by {} users: expected at least as many",
                               scenario.iterations, scenario.vus));
      }
      if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".maxDuration", "must be at least 1s");
      break;
    case Executor::kConstantVus:
      if (scenario.vus < 1) return bad(where + ".vus", "must be at least 1");
      if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".duration", "must be at least 1s");
      break;
    case Executor::kRampingVus:
      if (users < 1) return bad(where, "never has a user: startVUs or a stage's target must be more than 0");
      break;
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate:
      if (scenario.time_unit.count() <= 0) return bad(where + ".timeUnit", "must be more than 0");
      if (scenario.executor == Executor::kConstantArrivalRate) {
        if (!(scenario.rate > 0)) return bad(where + ".rate", "must be more than 0");
        if (scenario.duration < std::chrono::seconds{1}) return bad(where + ".duration", "must be at least 1s");
      }
      if (scenario.max_vus < 1) return bad(where + ".maxVUs", "must be at least 1");
      if (scenario.max_vus < scenario.pre_allocated_vus) {
        return bad(where + ".maxVUs", "must not be less than preAllocatedVUs");
      }
      break;
  }
  return Done{};
}

std::int64_t Scenario::users_at_most() const {
  switch (executor) {
    case Executor::kSharedIterations:
    case Executor::kPerVuIterations:
    case Executor::kConstantVus:
      return vus;
    case Executor::kRampingVus: {
      double most = static_cast<double>(start_vus);
      for (const auto& stage : stages) most = std::max(most, stage.target);
      return static_cast<std::int64_t>(most);
    }
    case Executor::kConstantArrivalRate:
    case Executor::kRampingArrivalRate:
      return max_vus;
  }
  return 0;
}

std::int64_t Scenario::users_at_start() const { return open_model() ? pre_allocated_vus : users_at_most(); }

Nanoseconds Scenario::regular_duration() const {
  const bool staged = executor == Executor::kRampingVus || executor == Executor::kRampingArrivalRate;
  return staged ? total_of(stages) : duration;
}

Nanoseconds Scenario::end() const { return start_time + regular_duration() + graceful_stop; }

double Scenario::planned_iterations() const {
  const double unit = seconds_of(time_unit);
  switch (executor) {
    case Executor::kSharedIterations:
      return static_cast<double>(iterations);
    case Executor::kPerVuIterations:
      return static_cast<double>(iterations) * static_cast<double>(vus);
    case Executor::kConstantArrivalRate:
      return rate * seconds_of(duration) / unit;
    case Executor::kRampingArrivalRate: {
      double total = 0;
      double from = rate;
      for (const auto& stage : stages) {
        total += (from + stage.target) / 2 * seconds_of(stage.duration) / unit;
        from = stage.target;
      }
      return total;
    }
    default:
      return 0;
  }
}

}  // namespace securebase::k6
