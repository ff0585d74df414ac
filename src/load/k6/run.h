// A whole run: `k6 run`, `k6 inspect`.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "k6/options.h"

namespace securebase::k6 {

// k6's exit codes, and one of our own.
namespace exit_code {
inline constexpr int kDone = 0;
inline constexpr int kInvalidRun = 98;  // ours: the generator was late, so thresholds have no verdict
inline constexpr int kThresholds = 99;
inline constexpr int kSetupTimeout = 100;
inline constexpr int kTeardownTimeout = 101;
inline constexpr int kInvalidConfiguration = 104;
inline constexpr int kExternalAbort = 105;
inline constexpr int kScriptException = 107;
inline constexpr int kScriptAborted = 108;
inline constexpr int kMarkedAsFailed = 110;
inline constexpr int kOther = 255;
}  // namespace exit_code

struct RunSettings {
  std::string script;  // a file; "-": standard input
  Options command_line;
  std::optional<std::filesystem::path> config;     // options as a JSON file
  std::map<std::string, std::string> environment;  // --env
  bool include_system_environment = false;
  std::vector<std::filesystem::path> vendor;
  bool quiet = false;
  bool verbose = false;
  bool colours = true;
  bool no_thresholds = false;
  std::string summary_mode = "compact";  // compact, full, disabled
  std::string summary_export;            // a file
  std::string html;                      // a file
  std::vector<std::string> outputs;      // json=FILE, csv=FILE
  std::string console_output;            // a file
  std::string log_output = "stderr";     // stderr, stdout, none, file=PATH
  std::string log_format = "text";       // text, raw, json
  std::string local_ips;                 // ip_range.h; "": the system's choice
  int platform_socket = -1;              // platform_hops.h; -1: none
};

int run_script(const RunSettings& settings);
// Prints the options that a run would have.
int inspect_script(const RunSettings& settings);

}  // namespace securebase::k6
