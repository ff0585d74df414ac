// Results of load tests as files: written after a run, shown again, compared.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "load/load.h"

namespace securebase::cli {

// Where a run's result goes, beside the terminal; empty: not there.
struct LoadFiles {
  std::filesystem::path json;
  std::filesystem::path html;
  std::filesystem::path junit;
  std::string baseline;  // what --baseline says: a file, or "newest"; empty: nothing is compared
  std::shared_ptr<const load::RunResult> compared_with;  // read by find_baseline(); null: nothing
};
void add_file_options(CLI::App& command, LoadFiles& files);
void add_baseline_option(CLI::App& command, LoadFiles& files);
// Reads what --baseline names, before a run is made in vain. "newest" is the newest baseline that the platform of
// `state` was told of and whose file is still there.
Result<Done> find_baseline(LoadFiles& files, const std::filesystem::path& state);
// What differs from it, for the terminal; "" when nothing is compared.
std::string comparison_text(const LoadFiles& files, const load::RunResult& result);
// Before a run that may last for a day: whether its files can be written at its end. kNotFound, kDenied, kMalformed.
Result<Done> check_files(const LoadFiles& files);
Result<Done> write_files(const LoadFiles& files, const load::RunResult& result);

// The text of a result with what its scenario found.
std::string text_of(const load::RunResult& result);
// Its verdict as a word in colour, and the exit code.
int say_verdict(const load::RunResult& result);

// load compare, load report, load runs
void add_load_file_commands(CLI::App& load, std::filesystem::path& state, Chosen& chosen);

}  // namespace securebase::cli
