// The door of the advisor: judges what the other rooms measured.
//
// targets() measures the eleven rows of the performance targets over a window, from the metrics' store. A row passes
// only on enough samples: "no data" and "too few samples" are verdicts of their own, and never a pass.
//
// Threads: any; reads the store, so it may block.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "monitoring/series.h"

namespace securebase::advisor {

enum class Verdict {
  kPass,
  kFail,
  kTooFew,  // there are samples, and not enough of them to tell
  kNoData,  // the source was silent
};
std::string_view to_string(Verdict verdict);  // "pass", "fail", "too few samples", "no data"

struct Row {
  std::string name;    // "API p95 latency"
  std::string target;  // "< 100 ms"
  Verdict verdict = Verdict::kNoData;
  std::optional<double> value;  // in `unit`
  std::string unit;             // "ms", "%", ""
  std::uint64_t samples = 0;
  std::uint64_t samples_needed = 0;
  std::string measured;  // where: "gateway, every request of securebase-api"
  std::string evidence;  // the command that shows it; empty: none
  std::string note;      // what a reader should know: which of several, what is missing
};

// The rows in the order of the guide. `now` is the window's end.
std::vector<Row> targets(const monitoring::Series& series, base::TimePoint now, std::chrono::seconds window);

// 0: every row passes; 1: one fails, or has no verdict.
int exit_code(const std::vector<Row>& rows);

// One line a row, for a terminal of `width` columns.
std::string render(const std::vector<Row>& rows, std::chrono::seconds window);
base::Json to_json(const std::vector<Row>& rows, base::TimePoint now, std::chrono::seconds window);

// --- uptime -------------------------------------------------------------------------------------------------------

// One canary's availability over a window, and what of the window's error budget it has used. The budget is the time
// that the objective allows to be down: 21.6 minutes of 30 days for 99.95 %.
struct Budget {
  std::string canary;
  std::uint64_t samples = 0;
  std::uint64_t failed = 0;
  double availability = 100;     // percent of the samples
  std::chrono::seconds down{0};  // failed samples, each as long as the interval between two
  std::chrono::duration<double> allowed{0};
  double remaining = 100;         // percent of the budget; negative when more than it is used
  std::optional<double> burn_1h;  // how many times faster than allowed; 1 uses it up at the window's end
  std::optional<double> burn_6h;
};
// Every series of CloudWatchSynthetics SuccessPercent by CanaryName alone. `intervals`: between two samples of a
// canary; one that is not there is tried each second.
std::vector<Budget> uptime(const monitoring::Series& series,
                           const std::map<std::string, std::chrono::seconds>& intervals, base::TimePoint now,
                           std::chrono::seconds window, double objective);
std::string render(const std::vector<Budget>& budgets, std::chrono::seconds window, double objective);
// "pass": no budget is used up, and there is one.
base::Json to_json(const std::vector<Budget>& budgets, base::TimePoint now, std::chrono::seconds window,
                   double objective);

}  // namespace securebase::advisor
