// What the command line says of a script, under the names of Artillery's options.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace securebase::load::artillery
