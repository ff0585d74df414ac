// Options that several commands have.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace securebase::cli {

inline void add_state_option(CLI::App& command, std::filesystem::path& state) {
  command.add_option("--state", state, "The state directory")->type_name("DIR")->capture_default_str();
}

// What stands below the options in --help: lines to try, and what its exit codes mean beside 64, the wrong command
// line.
inline void teach(CLI::App& command, const std::string& examples, const std::string& exit_codes) {
  command.footer("\n" + examples + "\n\nExit codes: " + exit_codes + "; 64 the command line was wrong.");
}

// "90s", "15m", "1h", "7d" as seconds.
inline CLI::AsNumberWithUnit durations() {
  return CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
                               CLI::AsNumberWithUnit::CASE_INSENSITIVE);
}

}  // namespace securebase::cli
