// Reads scripts: files, options of the command line and the environment come together as Artillery has it, and what
// comes out is ready to run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/artillery/script.h"

namespace securebase::load::artillery {

struct ScriptOptions {
  std::vector<std::filesystem::path> files;     // the script, then those of --input; later ones are laid over
  std::optional<std::filesystem::path> config;  // --config
  std::string environment;                      // --environment
  std::string target;                           // --target
  std::string variables;                        // --variables: a JSON object
  std::string overrides;                        // --overrides: a JSON object
  std::filesystem::path payload;                // --payload
  std::string scenario_name;                    // --scenario-name
  bool insecure = false;
  bool solo = false;
  std::string test_id;                                       // of $testId
  std::map<std::string, std::string> environment_variables;  // of $env, with what --dotenv added
};

// The error has a line for each thing that is wrong. Blocking: reads files.
Result<Script> read_script(const ScriptOptions& options);
// The same of a script that is no file: for `quick`, tests and the fuzzer. Paths in it are relative to `file`.
Result<Script> read_script(std::string_view text, const std::filesystem::path& file, const ScriptOptions& options);

// Lines NAME=value as dotenv reads them, laid under what is there: the environment wins.
void read_dotenv(std::string_view text, std::map<std::string, std::string>& into);

}  // namespace securebase::load::artillery
