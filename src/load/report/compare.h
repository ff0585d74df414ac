// Do two runs differ, or is it noise? Requests of one second resemble each other, so they are no independent samples:
// stretches of time are. Both runs are cut into stretches, drawn from with replacement many times (bootstrap), and the
// change between what was drawn gives the interval in which the true change lies.
//
// A change within the margin does not matter, however sure it is. What this cannot know is how much runs of the same
// program differ by themselves on this machine: the margin stands for that, and more runs of each narrow it.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "load/report/result.h"

namespace securebase::load {

struct Difference {
  enum class Verdict { kBetter, kWorse, kSame, kUnclear, kInsufficient };
  std::string name;  // "p95"
  std::string unit;
  double a = 0;
  double b = 0;
  double change = 0;  // (b - a) / a; shares: b - a in points
  double low = 0;     // of the 99 % interval of the change
  double high = 0;
  Verdict verdict = Verdict::kInsufficient;
};
std::string_view to_string(Difference::Verdict verdict);

struct CompareSettings {
  double margin = 0.05;       // a relative change that does not matter
  double share_margin = 0.5;  // of error shares, in points of percent
  std::size_t draws = 2000;
};

// Several runs of a side are pooled; their stretches are drawn run by run. kConflict: runs that cannot be compared (one
// open, one closed; an invalid one).
Result<std::vector<Difference>> compare(const std::vector<RunResult>& a, const std::vector<RunResult>& b,
                                        const CompareSettings& settings);

std::string as_text(const std::vector<Difference>& differences, const CompareSettings& settings);
base::Json to_json(const std::vector<Difference>& differences);
bool any_worse(const std::vector<Difference>& differences);

}  // namespace securebase::load
