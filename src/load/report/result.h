// The result of a run: what was asked, what was measured, whether that may be believed, and the verdict. It is written
// as JSON in the format "securebase-load/1" (docs/load.md) and can be read back, to be shown, merged or compared.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "load/engine/engine.h"
#include "load/measure/measured.h"
#include "load/scenarios/threshold.h"

namespace securebase::load {

struct RunResult {
  std::string tool = "securebase";  // whose script it was: "artillery", "k6"
  std::string scenario;             // "run", "baseline" ...
  std::string target;
  bool open = false;  // latency counts from the schedule; else users wait for answers, and it is service time
  base::TimePoint started;
  base::Json settings;  // what was asked for, for people
  Measured measured;
  Generator generator;
  std::vector<std::string> invalid_because;  // empty: valid
  std::vector<Judged> thresholds;
  bool interrupted = false;
  // Where the time went, when the target was a SecureBase that told: an array of routes as `securebase traces slow
  // --json` has them, counted over every request; null: not known.
  base::Json hops;
  // What a scenario found beside that: "capacity", "spike", "endurance"; null: nothing.
  base::Json findings;
  // Checks of a scenario beside thresholds: a name, what was seen, and a verdict.
  struct Check {
    std::string name;
    std::string seen;
    Verdict verdict = Verdict::kInsufficient;
  };
  std::vector<Check> checks;

  bool valid() const { return invalid_because.empty(); }
  // "pass", "fail", "insufficient evidence", "invalid", "interrupted", or "none" when nothing was asked for.
  std::string verdict() const;
};

// Exit codes of `securebase load`; 0 also when nothing was asked for.
inline constexpr int kPassed = 0;
inline constexpr int kCrossed = 3;        // a threshold or a check failed
inline constexpr int kInvalid = 4;        // the generator was late or the limit: no verdict
inline constexpr int kNoEvidence = 5;     // too few samples for a verdict
inline constexpr int kInterrupted = 130;  // by a signal, as shells have it
int exit_code(const RunResult& result);

base::Json to_json(const RunResult& result);
Result<RunResult> result_from_json(const base::Json& json);

}  // namespace securebase::load
