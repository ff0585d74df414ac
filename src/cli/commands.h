// The commands of `securebase`. Each takes what the command line said and gives the exit code: 0 done, 1 failed (the
// reason is on standard error), 2 `plan -detailed-exitcode` found changes, 64 the command line was wrong (sysexits.h).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/platform.h"

namespace CLI {
class App;
}

namespace securebase::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kChanges = 2;
inline constexpr int kUsage = 64;

struct PlanOptions {
  platform::StackSource source;
  std::filesystem::path state;
  bool detailed_exitcode = false;
};

struct ApplyOptions {
  platform::StackSource source;
  std::filesystem::path state;
  bool auto_approve = false;
};

struct InvokeOptions {
  std::filesystem::path state;
  std::string function;
  std::string payload = "{}";  // JSON, @file, or - for standard input
  bool log = false;
};

struct InvalidateOptions {
  std::filesystem::path state;
  std::vector<std::string> what;  // paths and #tags
  bool hard = false;
};

struct TargetsOptions {
  std::filesystem::path state;
  std::chrono::seconds window{3600};
  bool json = false;
  bool watch = false;  // again each two seconds, until interrupted
};

struct TracesOptions {
  std::filesystem::path state;
  std::string what = "list";  // list, show, routes, slow
  std::string id;
  std::vector<std::string> route;  // its words: GET /v1/customers/{id}
  std::string filter;
  std::chrono::seconds window{3600};
  std::int64_t most = 20;
  bool json = false;
};

struct UptimeOptions {
  std::filesystem::path state;
  std::chrono::seconds window{30 * 86'400};
  double objective = 99.95;  // percent
  bool json = false;
};

struct RumOptions {
  std::filesystem::path state;
  std::size_t most = 20;
  bool slowest = false;
  bool json = false;
};

struct LighthouseOptions {
  std::filesystem::path state;
  std::string url;
  std::size_t runs = 5;
  std::optional<double> min_score;  // of the median
  bool desktop = false;             // else a telephone on a slow network
  bool insecure = false;            // certificates are not checked
  bool record = true;               // with the platform, as a metric
  bool json = false;
};

struct CredentialsOptions {
  std::filesystem::path state;
  std::string what;  // create, list, delete, rotate
  std::string name;
};

int up(const platform::Settings& settings);
int plan(const PlanOptions& options);
int apply(const ApplyOptions& options);
int status(const std::filesystem::path& state, bool as_json);
int environment(const std::filesystem::path& state);
int invoke(const InvokeOptions& options);
int invalidate(const InvalidateOptions& options);
int traces(const TracesOptions& options);
int credentials(const CredentialsOptions& options);
int operations(const std::filesystem::path& state);
// kFailed when a row fails or has no verdict.
int targets(const TargetsOptions& options);
// kFailed when a budget is used up, or there is none.
int uptime(const UptimeOptions& options);
int rum(const RumOptions& options);
// kFailed also when the median is below the wanted score.
int lighthouse(const LighthouseOptions& options);

// alarm_commands.cc, notify_commands.cc, log_commands.cc, gate_commands.cc: each adds its commands. `state` is filled
// by
// --state; the command that was typed puts what it does into `chosen`. Both outlive the parsing and the run.
void add_alarm_commands(CLI::App& app, std::filesystem::path& state, std::function<int()>& chosen);
void add_notify_commands(CLI::App& app, std::filesystem::path& state, std::function<int()>& chosen);
void add_log_commands(CLI::App& app, std::filesystem::path& state, std::function<int()>& chosen);
void add_gate_commands(CLI::App& app, std::filesystem::path& state, std::function<int()>& chosen);

// Parses the arguments and runs the command that they name.
int run(int argc, char** argv);

}  // namespace securebase::cli
