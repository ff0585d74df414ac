// Load tests tell the platform that they ran, so that gates can rest on them. Where no platform runs on the state
// directory, nobody is told, and that is no error: a test may be of something else.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace securebase::cli {

struct LoadOutcome {
  std::string tool;      // "securebase load", "artillery", "k6"
  std::string scenario;  // "baseline", "spike", or the script's file name
  std::string name;      // what the stack calls it, or ""
  std::string target;    // the first URL that it asked
  std::string verdict;   // "pass", "fail", "insufficient evidence", "invalid", "interrupted", "none"
  std::vector<std::string> failed_thresholds;
  std::uint64_t requests = 0;
  double errors_percent = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  std::uint64_t users = 0;                // at most at once; 0: not known
  double seconds = 0;                     // measured with all of them
  std::optional<double> scaling_seconds;  // of a spike, as the next two
  double limit_ms = 0;
  double rise_seconds = 0;
  std::string report;  // a file, or ""
};

// `passed`: nullopt when nothing was asked for.
std::string verdict_word(bool valid, const std::optional<bool>& passed);

// Made before the first request: it notes which configuration the test meets.
class LoadRunNote {
 public:
  explicit LoadRunNote(std::filesystem::path state);
  bool platform_is_there() const { return !configuration_.empty(); }
  // What the platform counted of its routes and their hops in the last `duration`, when it is what was asked: it saw
  // most of so many requests; else null.
  base::Json hops_of(std::chrono::milliseconds duration, double requests) const;
  // After the last one. Says on standard error when the platform is there and does not take it.
  void tell(const LoadOutcome& outcome) const;

 private:
  const std::filesystem::path state_;
  const base::TimePoint began_;
  std::string configuration_;  // "": no platform
};

// `securebase load runs`
int load_runs(const std::filesystem::path& state, std::size_t most, bool as_json);

}  // namespace securebase::cli
