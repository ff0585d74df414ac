// What a scenario of a script does: the six executors as values. When: arrivals.h and user_schedule.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "k6/duration.h"

namespace securebase::k6 {

enum class Executor {
  kSharedIterations,
  kPerVuIterations,
  kConstantVus,
  kRampingVus,
  kConstantArrivalRate,
  kRampingArrivalRate,
};
std::string_view to_string(Executor executor);
std::optional<Executor> executor_from(std::string_view name);
std::string names_of_executors();  // all, for errors

struct Stage {
  Nanoseconds duration{};
  double target = 0;  // users, or iterations per time unit
};
// "30s:10", as --stage has it; several with commas.
Result<std::vector<Stage>> parse_stages(std::string_view text);

struct Scenario {
  static constexpr std::int64_t kMostVus = 20'000;

  std::string name;
  Executor executor = Executor::kSharedIterations;
  Nanoseconds start_time{};
  Nanoseconds graceful_stop = std::chrono::seconds{30};
  std::string exec = "default";
  std::map<std::string, std::string> env;
  std::map<std::string, std::string> tags;

  std::int64_t vus = 1;         // shared and per-vu iterations, constant
  std::int64_t iterations = 1;  // shared and per-vu iterations
  Nanoseconds duration{};       // constant vus, constant arrival rate; max duration of the iterations executors
  std::int64_t start_vus = 1;   // ramping
  std::vector<Stage> stages;
  Nanoseconds graceful_ramp_down = std::chrono::seconds{30};
  double rate = 0;  // constant arrival rate; start rate of the ramping one
  Nanoseconds time_unit = std::chrono::seconds{1};
  std::int64_t pre_allocated_vus = 0;
  std::int64_t max_vus = 0;

  bool open_model() const {
    return executor == Executor::kConstantArrivalRate || executor == Executor::kRampingArrivalRate;
  }
  // Users that must exist when it begins, and the most that it may come to have.
  std::int64_t users_at_start() const;
  std::int64_t users_at_most() const;
  // From its start to when no iteration begins any more.
  Nanoseconds regular_duration() const;
  // From the start of the run to when everything of it has been ended.
  Nanoseconds end() const;
  // Iterations that it would make; 0: not known.
  double planned_iterations() const;
};

// One member of options.scenarios. The error begins with the option's path.
Result<Scenario> scenario_from(std::string_view name, const base::Json& value);
Result<std::vector<Stage>> stages_from(const base::Json& value, std::string_view where);
Result<Done> validate(const Scenario& scenario);

}  // namespace securebase::k6
