// Runs Artillery scripts as `artillery run` does: the console's words, report.json, exit codes.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "load/artillery/script_options.h"

namespace securebase::load::artillery {

// Exit codes, as Artillery has them.
inline constexpr int kRan = 0;
inline constexpr int kFailedRun = 1;  // the script is wrong, a check of `ensure` failed, the processor crashed
inline constexpr int kFailedExpectations = 21;  // an expectation of the expect plugin was not met
inline constexpr int kInterruptedRun = 130;     // SIGINT; SIGTERM is 143

// What came of a run that measured something, for whoever judges it.
struct Outcome {
  std::string target;
  bool valid = true;           // the generator kept its own times, and nothing ended the run early
  std::optional<bool> passed;  // nullopt: the script asks for nothing (ensure, expect)
  std::vector<std::string> failed_checks;
  std::uint64_t requests = 0;
  double errors_percent = 0;  // 4xx, 5xx and requests without an answer
  double p50_ms = 0;          // to the last byte
  double p95_ms = 0;
  double p99_ms = 0;
};

struct RunOptions {
  ScriptOptions script;
  std::string text;              // a script that is no file, in the place of script.files
  std::filesystem::path dotenv;  // empty: none
  std::filesystem::path output;  // of report.json; empty: none
  std::filesystem::path html;    // of the report for people; empty: none
  bool quiet = false;
  bool colour = false;
  std::size_t columns = 79;
  std::size_t workers = 0;  // threads; 0: chosen
  // Where the time of so many requests went within the target, as `securebase traces slow --json` has it; null: not
  // known.
  std::function<base::Json(std::chrono::milliseconds duration, double requests)> ask_hops;
  std::function<void(const Outcome&)> ended;
};

// Blocks until the run has ended; SIGINT and SIGTERM end it early, with a report of what was measured. `print` gets
// what goes to standard output, `complain` what goes to standard error; both may be called by any thread, one at a
// time.
int run(RunOptions options, const std::function<void(std::string_view)>& print,
        const std::function<void(std::string_view)>& complain);

// Writes the page of a report.json, Artillery's or ours. The error says which of the two files is wrong.
Result<Done> write_html(const std::filesystem::path& report, const std::filesystem::path& html);

// A script of one GET for `quick`: `count` users who each send `num` requests.
std::string quick_script(const std::string& url, std::uint64_t count, std::uint64_t num, bool insecure);

}  // namespace securebase::load::artillery
