// Canaries: what is tried on a schedule, and what came of it. The platform writes the canaries as one file of JSON,
// which the prober reads again when it changes; the prober appends each run to a journal, which the platform reads.
//
// A canary is HTTP checks, steps declared in JSON that the prober asks itself; or a script of CloudWatch Synthetics'
// shape, which runs in node with Chromium; or the script of a load test, one visit of it. Scripts run as an
// unprivileged user (docs/synthetics.md). Values; reading and writing them is for one thread at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace securebase::prober {

// One request of an HTTP canary, and what must hold of its answer.
struct HttpStep {
  std::string name;
  std::string url;  // http:// or https://, or a path of the platform's edge
  std::string method = "GET";
  std::map<std::string, std::string> headers;
  std::string body;
  std::vector<int> statuses;  // one of them; empty: 200 to 399
  std::string contains;       // the body does; "" always holds
  std::chrono::milliseconds within{10'000};
};

// {"steps": [{"name": "home", "url": "/", "status": [200], "contains": "SecureBase", "within_ms": 2000}]}, with method,
// headers and body where they are needed. At most 20 steps.
inline constexpr std::size_t kMostSteps = 20;
Result<std::vector<HttpStep>> parse_steps(std::string_view text);

// Whether a load test's script has this ending: .js and .mjs are k6's, .yml, .yaml and .json Artillery's.
bool is_load_script(std::string_view handler);

struct Canary {
  enum class Kind { kHttp, kScript, kLoad };
  std::string name;
  std::string schedule;  // Schedule::parse takes it
  Kind kind = Kind::kHttp;
  std::vector<HttpStep> steps;  // of kHttp
  std::filesystem::path code;   // of scripts: the unpacked directory
  std::string handler;          // of kScript "index.handler", of kLoad "checkout.js", a file in `code`
  std::map<std::string, std::string> environment;
  std::chrono::seconds timeout{60};
  std::size_t memory_mb = 1000;
  base::TimePoint started;  // a later start is a new beginning, for what runs once
};

// What scripts need, beside their own code.
struct Workshop {
  std::string base_url;            // the platform's edge, for paths
  std::filesystem::path tools;     // tools/browser; empty: not installed
  std::string node;                // the program; empty: none
  std::string chromium;            // the program; empty: none
  std::string user = "nobody";     // whom scripts run as, where the prober is root
  std::filesystem::path work;      // for directories of single runs
  std::filesystem::path programs;  // where securebase and securebase-k6 are
};

struct Canaries {
  Workshop workshop;
  std::vector<Canary> all;
};
std::string to_text(const Canaries& canaries);
Result<Canaries> canaries_from(std::string_view text);

struct StepResult {
  std::string name;
  bool passed = false;
  std::chrono::milliseconds duration{0};
  std::string reason;
};

struct CanaryRun {
  std::string canary;
  std::string id;  // a UUID
  base::TimePoint begin;
  std::chrono::milliseconds duration{0};
  bool passed = false;
  bool executed = true;  // false: it could not be run at all, by which it failed as well
  std::string reason;    // of a failure
  std::vector<StepResult> steps;
  std::uint32_t answers_2xx = 0;
  std::uint32_t answers_4xx = 0;
  std::uint32_t answers_5xx = 0;
  std::uint32_t failed_requests = 0;  // without an answer
};
// A line of JSON, cut to what a journal's reader takes.
inline constexpr std::size_t kRunBytes = 16 << 10;
std::string to_line(const CanaryRun& run);
std::optional<CanaryRun> run_from(std::string_view line);

// What a script's runner printed: steps, counts and whether it passed, in its last line that begins with this.
inline constexpr std::string_view kReportMark = "securebase-canary-report ";
// Fills `run` from it; without a report the run has failed, and the last lines of the output are the reason.
void take_report(std::string_view output, int exit_code, CanaryRun& run);

}  // namespace securebase::prober
