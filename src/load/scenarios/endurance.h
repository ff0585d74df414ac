// The same load for hours: does memory, do descriptors, does latency grow? Decided by the slope's confidence interval,
// not by eye, and the report says what growth the run was long enough to see.
#pragma once

#include "load/scenarios/run.h"
#include "load/scenarios/slope.h"
#include "load/scenarios/target_watch.h"

namespace securebase::load {

struct EnduranceSettings {
  RunSettings run;  // its phases are made here
  std::uint64_t users = 100;
  std::chrono::nanoseconds duration = std::chrono::hours{24};
  CarryOut carry_out = load::run;
};

Result<RunResult> endurance(const EnduranceSettings& settings, TargetWatch& watch, const StopFlag& stop,
                            const std::function<void(const Live&)>& told);

// A level's verdict. It leaks when it surely grows (99 %), in the later half by itself too, has grown by more than a
// hundredth of itself while one looked for ten minutes at least (in less: has doubled), and would grow by more than a
// tenth in a day; it does not when a growth of that size would have been seen.
struct LevelTest {
  std::string name;
  std::string unit;
  std::optional<Slope> slope;
  Verdict verdict = Verdict::kInsufficient;
  std::string seen;
};
LevelTest test_level(std::string name, std::string unit, const std::vector<Level>& levels);
// Of p95, where nothing is extrapolated to a day: it fails when it surely grew, by the same rules, by more than a tenth
// of itself within the run, and passes when a growth by a quarter is excluded.
LevelTest test_latency(const std::vector<Level>& levels);

std::string endurance_text(const base::Json& findings);

}  // namespace securebase::load
