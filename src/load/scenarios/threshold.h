// What a run is held against: "p95<100ms", "errors<1%", "rate>500". Three outcomes, for a percentile of a few samples
// is no evidence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "load/measure/measured.h"

namespace securebase::load {

enum class Verdict { kPass, kFail, kInsufficient };
std::string_view to_string(Verdict verdict);  // "pass", "fail", "insufficient evidence"

struct Threshold {
  // "p0" to "p100", "min", "max", "avg": of latency; "ttfb.p95": of the first byte; "errors", "4xx", "5xx",
  // "transport": shares in percent; "rate": answers a second; "requests": how many.
  std::string metric;
  enum class Operator { kBelow, kAtMost, kAbove, kAtLeast } comparison = Operator::kBelow;
  double wanted = 0;  // ms, %, or a number

  std::string text() const;
  bool is_latency() const;
};

// kMalformed: what it is made of, and where it stops making sense.
Result<Threshold> parse_threshold(std::string_view text);
// --criteria guide: what the guide's Success Criteria say of a run's own numbers.
std::vector<Threshold> guide_criteria();

struct Judged {
  Threshold threshold;
  double measured = 0;
  std::uint64_t samples = 0;
  std::uint64_t needed = 0;  // samples for a verdict
  Verdict verdict = Verdict::kInsufficient;
  std::string doubt;  // why a value that holds is no pass all the same; empty: there is none
};

// `open`: latency is counted from the schedule, else it is service time. What holds passes only when it would hold too
// if every request that was unanswered at the end, with all that its user could not send meanwhile, had gone as badly
// as can be: else a target that hangs until the end would pass in a closed model, whose users send nothing while they
// wait.
Judged judge(const Threshold& threshold, const Measured& measured, bool open);
// The smallest latency that one of them names; 0: none does.
double tightest_ms(const std::vector<Threshold>& thresholds);
base::Json to_json(const Judged& judged);

}  // namespace securebase::load
