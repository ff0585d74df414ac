// Load tests that the stack declares, in its output `securebase_load`: found by name, read into the options of the
// command that runs them.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/commands.h"

namespace securebase::cli {

// `word` is what was typed where a URL is expected. A URL stays one; "/path" becomes one of the running platform; a
// name is looked up in the stack in force: its members become options of `command`, but for those that were typed, and
// `word` becomes its URL. Gives the name, or "" when it was none. `kind`: the scenario of the command ("capacity"),
// which the declaration has to be.
Result<std::string> take_declared(CLI::App& command, std::string& word, std::string_view kind,
                                  const std::filesystem::path& state);

// The part of it without a platform: the members of `name` in `scenarios`, an object, become options of `command`, and
// its URL, which may be "", `url`. kMalformed: there is none of that name, it is of another kind, or one of its members
// is no option of the command.
Result<Done> apply_declared(CLI::App& command, const base::Json& scenarios, std::string_view name,
                            std::string_view kind, std::string& url);

// What runs a declared script: by the tool whose it is, against `address` of the running platform or what its member
// `url` says. `directory`: of the stack. Artillery is given it as --target, a k6 script as __ENV.TARGET. kMalformed:
// the declaration is no script.
Result<std::vector<std::string>> words_of_script(std::string_view name, const base::Json& scenario,
                                                 const std::filesystem::path& directory, const std::string& address);

// `securebase load list`, and `securebase load NAME ...`, which is the command of the test's kind. After all other
// commands of `load`.
void add_declared_commands(CLI::App& load, std::filesystem::path& state, Chosen& chosen);

}  // namespace securebase::cli
