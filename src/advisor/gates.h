// The door of the gates: the checklists before a deployment, after it, and of each month, as checks that are decided
// from what the platform knows, each with how, on what evidence, and what to do. docs/gates.md tells it to users.
//
// A check has three answers. Where the evidence is not enough it says so and names what is missing; that is never a
// pass. A waiver makes a check that does not pass count as one, by its owner's word and until a day.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "monitoring/alarms.h"
#include "monitoring/dashboards.h"
#include "monitoring/series.h"

namespace securebase::advisor {

enum class Gate { kPreDeploy, kPostDeploy, kMonthly };
std::string_view to_string(Gate gate);  // "pre-deploy", "post-deploy", "monthly"
std::optional<Gate> gate_from(std::string_view text);

enum class Decision { kPass, kFail, kInsufficient };
std::string_view to_string(Decision decision);  // "pass", "fail", "insufficient evidence"

// --- waivers --------------------------------------------------------------------------------------------------------

struct Waiver {
  std::string check;  // "pre-deploy/load-test"
  std::string owner;
  std::string reason;
  base::TimePoint until;
  base::TimePoint made;
};

// In one file, replaced as a whole. Any thread.
class Waivers {
 public:
  static Result<Waivers> open(std::filesystem::path file);
  Waivers(Waivers&& other) noexcept;

  // In place of one for the same check. kMalformed: no such check, no owner, no reason, or a day that is past or more
  // than 90 days away.
  Result<Done> add(Waiver waiver);
  Result<Done> remove(std::string_view check);  // kNotFound
  std::vector<Waiver> all() const;              // those that have expired too, by check

 private:
  explicit Waivers(std::filesystem::path file) : file_(std::move(file)) {}
  Result<Done> save(const std::map<std::string, Waiver, std::less<>>& waivers) const;
  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::map<std::string, Waiver, std::less<>> waivers_;
};

// --- load tests that ran --------------------------------------------------------------------------------------------

// What came of a load test, by its own word.
enum class RunVerdict {
  kNone,  // it had no thresholds, so that it could not fail
  kPass,
  kFail,
  kInsufficient,  // too few samples for some of its thresholds, and none crossed
  kInvalid,       // the generator was late, or was the limit
  kInterrupted,
};
// "none", "pass", "fail", "insufficient evidence", "invalid", "interrupted"; as RunResult::verdict() of load/ has them.
std::string_view to_string(RunVerdict verdict);

// What a gate has to know of a load test.
struct LoadRun {
  base::TimePoint began;
  base::TimePoint ended;
  std::string tool;           // "securebase load", "artillery", "k6"
  std::string scenario;       // "baseline", "spike", or the script's name
  std::string name;           // what the stack calls it; "": it was not declared there
  std::string target;         // the first URL that it asked
  std::string configuration;  // of the platform, the same at both ends; "": it changed meanwhile
  RunVerdict verdict = RunVerdict::kNone;
  std::vector<std::string> failed_thresholds;
  std::uint64_t requests = 0;
  double errors_percent = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
  std::uint64_t users = 0;  // at most at once; 0: not said, as of scripts and open models
  double seconds = 0;       // how long it was measured with all of them
  // Of a spike: until latency was back below `limit_ms`, from which the users came within `rise_seconds`.
  std::optional<double> scaling_seconds;
  double limit_ms = 0;
  double rise_seconds = 0;
  std::string report;  // a file, or ""
};
base::Json to_json(const LoadRun& run);
// kMalformed, kLimit. Records of before there was a word for the verdict are understood.
Result<LoadRun> load_run_from(const base::Json& json);

// The last thousand of them, a line of JSON each, in a file that is replaced as a whole. Any thread.
class LoadRuns {
 public:
  static constexpr std::size_t kMost = 1000;

  static Result<LoadRuns> open(std::filesystem::path file);
  LoadRuns(LoadRuns&& other) noexcept;

  Result<Done> add(LoadRun run);     // on disk when it returns
  std::vector<LoadRun> all() const;  // oldest first

 private:
  explicit LoadRuns(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
  mutable std::mutex mutex_;
  std::vector<LoadRun> runs_;
};

// --- what is known --------------------------------------------------------------------------------------------------

struct Topic {
  std::string arn;
  std::size_t receivers = 0;  // confirmed ones
  std::size_t reached = 0;    // of them, those that a message reached within the last day
  std::string delivered;      // when the last message reached one, RFC 3339; "": none did
  std::string trouble;        // why none does
  std::size_t pending = 0;    // subscriptions that wait to be confirmed
};

struct Rehearsal {
  base::TimePoint at;
  std::string from;  // the configuration in force then
  std::string to;    // the one that it would have gone back to
  std::string summary;
  bool operator==(const Rehearsal&) const = default;
};

struct FunctionUse {
  std::string name;
  std::int64_t memory_mb = 0;
  std::optional<double> used_mb;  // the most that any invocation of the window used, of its REPORT lines
  std::uint64_t reports = 0;
};

// What functions cost, in the units of the bill.
struct Spent {
  double invocations = 0;
  double gigabyte_seconds = 0;
};

struct SlowStatement {
  std::string statement;
  std::uint64_t times = 0;
  double average_ms = 0;
  double slowest_ms = 0;
};

// Values, but for `series`, which is read. What could not be found out is in the Results.
struct Facts {
  base::TimePoint now;
  std::chrono::seconds window{86'400};     // that post-deploy and monthly look at
  std::chrono::seconds freshness{86'400};  // how old a load test may be, and a test message
  base::TimePoint deployed;                // when the configuration came into force
  std::string configuration;               // its fingerprint
  const monitoring::Series* series = nullptr;
  std::vector<monitoring::AlarmView> alarms;
  std::vector<Topic> topics;
  std::vector<monitoring::Dashboards::Entry> dashboards;
  std::vector<LoadRun> runs;           // oldest first
  std::vector<std::string> addresses;  // where this platform answers requests: "http://127.0.0.1:8080"
  std::string load_test;  // the one that counts, by its script's file name or its name in the stack; "": all do
  std::optional<std::string> earlier_configuration;  // that a rollback would go back to
  std::optional<Rehearsal> rehearsal;                // the last one
  Result<std::vector<FunctionUse>> functions = std::vector<FunctionUse>{};
  Result<std::vector<SlowStatement>> slow_statements = std::vector<SlowStatement>{};
  Result<Spent> spent = Spent{};         // in the window
  Result<Spent> spent_before = Spent{};  // in the one before
};

// --- the report -----------------------------------------------------------------------------------------------------

struct Check {
  std::string id;     // "load-test"
  std::string title;  // the checklist's own words
  Decision decision = Decision::kInsufficient;
  std::string reason;                 // why, in a line
  std::vector<std::string> evidence;  // facts, one a line
  std::string how;                    // how it is decided
  std::string command;                // shows the evidence
  std::string fix;                    // what to do when it does not pass
  std::optional<Waiver> waiver;       // in force; of a check that does not pass

  bool counts_as_passed() const { return decision == Decision::kPass || waiver.has_value(); }
};

struct GateReport {
  Gate gate = Gate::kPreDeploy;
  base::TimePoint at;
  std::string configuration;
  base::TimePoint deployed;
  std::vector<Check> checks;  // in the order of the guide
};

GateReport check(Gate gate, const Facts& facts, const std::vector<Waiver>& waivers);
// Whether there is such a check: "pre-deploy/load-test".
bool is_check(std::string_view name);
std::vector<std::string> check_names();

// 0: everything passes or is waived; 1: something fails; 3: nothing fails, and some evidence is missing.
int exit_code(const GateReport& report);

std::string render(const GateReport& report);
std::string to_markdown(const GateReport& report);
std::string to_junit(const GateReport& report);  // a suite; insufficient evidence is an error, a waived check skipped
base::Json to_json(const GateReport& report);

}  // namespace securebase::advisor
