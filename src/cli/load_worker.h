// Load from several machines: the command that makes one of them wait for work, and the options that name them.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "load/load.h"

namespace securebase::cli {

struct FleetOptions {
  std::vector<std::string> workers;
  std::filesystem::path token_file;
};
void add_fleet_options(CLI::App& command, FleetOptions& options);
// The first line of --token-file, else $SECUREBASE_LOAD_TOKEN, else "".
Result<std::string> read_token(const std::filesystem::path& file);
Result<load::Fleet> read_fleet(const FleetOptions& options);

void add_load_worker_command(CLI::App& load, Chosen& chosen);

}  // namespace securebase::cli
