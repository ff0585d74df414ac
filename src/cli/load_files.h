// Results of load tests as files: written after a run, shown again, compared.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands.h"
#include "load/load.h"

namespace securebase::cli {

// Where a run's result goes, beside the terminal; empty: not there.
struct LoadFiles {
  std::filesystem::path json;
  std::filesystem::path html;
  std::filesystem::path junit;
};
void add_file_options(CLI::App& command, LoadFiles& files);
Result<Done> write_files(const LoadFiles& files, const load::RunResult& result);

// The text of a result with what its scenario found.
std::string text_of(const load::RunResult& result);
// Its verdict as a word in colour, and the exit code.
int say_verdict(const load::RunResult& result);

// load compare, load report, load runs
void add_load_file_commands(CLI::App& load, std::filesystem::path& state, Chosen& chosen);

}  // namespace securebase::cli
