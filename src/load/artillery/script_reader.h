// Reads scripts: files, options of the command line and the environment come together as Artillery has it, and what
// comes out is ready to run.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "load/artillery/script.h"
#include "load/artillery/script_options.h"

namespace securebase::load::artillery {

// The error has a line for each thing that is wrong. Blocking: reads files.
Result<Script> read_script(const ScriptOptions& options);
// The same of a script that is no file: for `quick`, tests and the fuzzer. Paths in it are relative to `file`.
Result<Script> read_script(std::string_view text, const std::filesystem::path& file, const ScriptOptions& options);

// Lines NAME=value as dotenv reads them, laid under what is there: the environment wins.
void read_dotenv(std::string_view text, std::map<std::string, std::string>& into);

}  // namespace securebase::load::artillery
