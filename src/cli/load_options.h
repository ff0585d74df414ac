// The options that the native load tests share, and which of them go together.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "cli/load_settings.h"

namespace securebase::cli {

// In seconds; a year is longer than any test.
inline const CLI::Range kSomeTime(0.001, 366.0 * 86'400, "TIME");
inline const CLI::Range kAnyTime(0.0, 366.0 * 86'400, "TIME");

// "250ms", "90s", "15m", "1h", "1d". `otherwise` is what the help says that it is when nothing is said.
void add_duration(CLI::App& command, const char* name, double& seconds, const char* about, const char* otherwise,
                  const CLI::Validator& range = kSomeTime);
// What all of them take.
void add_common(CLI::App& command, const Options& options, std::filesystem::path& state);
void add_target_pid(CLI::App& command, const Options& options);

// After the options were read, typed or declared: an option that would have no effect beside the others, or for want of
// one, is refused, for whoever gave it thinks that it has. kMalformed: which, and why.
Result<Done> check_options(const CLI::App& command);

}  // namespace securebase::cli
