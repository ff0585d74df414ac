// Where does the target break? Steps of more and more users, each measured by itself, until a limit is crossed; then
// the gap between the last good and the first bad step is halved until it is small. The law of the throughputs tells
// where the knee is, and what was seen of the target meanwhile which resource came to its end first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "load/scenarios/run.h"
#include "load/scenarios/target_watch.h"
#include "load/scenarios/usl.h"

namespace securebase::load {

// So many times its length a step may take that has too few samples.
inline constexpr int kMostLonger = 10;

struct CapacitySettings {
  RunSettings
      run;  // its phases are made here; its thresholds are what breaks: p95<100ms and errors<1% when there are none
  std::uint64_t from_users = 10;
  std::uint64_t to_users = 1000;
  std::chrono::nanoseconds step = std::chrono::seconds{10};
  std::chrono::nanoseconds settle = std::chrono::seconds{2};  // at the begin of a step, not measured
};

struct CapacityStep {
  std::uint64_t users = 0;
  double throughput = 0;  // answers a second
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  double error_percent = 0;
  enum class Outcome {
    kHeld,
    kBroken,
    kUndecided,  // too few samples for one of its limits, or interrupted
    kInvalid,    // the generator was the limit
  } outcome = Outcome::kHeld;
  std::string why;                  // it did not hold
  std::vector<Pressure> pressures;  // the nearest to its end first
};

// What a run of that many users says, and what was seen of the target meanwhile.
CapacityStep step_of(std::uint64_t users, const RunResult& result, const TargetSample& before,
                     const TargetSample& after);

// How long a step that was measured for `length` and is undecided has to be measured instead, so that its limits have
// the samples that they need; nullopt: longer than `most`.
std::optional<std::chrono::nanoseconds> longer_step(const RunResult& result, std::chrono::nanoseconds length,
                                                    std::chrono::nanoseconds most);

// Makes the result of the search out of its last step's: findings instead of limits, which were made to be crossed; and
// no other verdict than insufficient evidence when that step stayed undecided.
void conclude(const std::vector<CapacityStep>& steps, RunResult& last);

// The users of the next step; nullopt: the search is over. Pure, so that it can be tried without a target.
std::optional<std::uint64_t> next_users(const std::vector<CapacityStep>& steps, std::uint64_t from, std::uint64_t to);

// The result is the last step's measurements with findings of all. `step_done` is told after each, and before an
// undecided one is measured again for longer.
Result<RunResult> capacity(const CapacitySettings& settings, TargetWatch& watch, const StopFlag& stop,
                           const std::function<void(const Live&)>& told,
                           const std::function<void(const CapacityStep&)>& step_done);

std::string capacity_text(const base::Json& findings);

}  // namespace securebase::load
