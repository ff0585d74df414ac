#include "k6/gathered_options.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"

namespace securebase::k6 {

namespace {

Result<Options> options_of_file(const std::filesystem::path& file) {
  auto bytes = base::read_file(file);
  if (!bytes) return bytes.error();
  auto json = base::Json::parse(*bytes);
  if (!json) return json.error().within(file.native());
  auto options = options_from(*json);
  if (!options) return options.error().within(file.native());
  return options;
}

}  // namespace

Result<Options> gather_options(const RunSettings& settings, const std::string& exported, Console& console) {
  Options options;
  if (settings.config) {
    auto from_file = options_of_file(*settings.config);
    if (!from_file) return from_file.error();
    options = std::move(*from_file);
  }
  if (!exported.empty()) {
    auto json = base::Json::parse(exported);
    if (!json) return json.error().within(fmt::format("{}: the exported options", settings.script));
    std::vector<std::string> unknown;
    auto from_script = options_from(*json, &unknown);
    if (!from_script) return from_script.error().within(settings.script);
    for (const auto& name : unknown) {
      console.say(Console::kWarning,
                  fmt::format("{}: options.{} is not an option that k6 has; it has no effect", settings.script, name));
    }
    options.apply(*from_script);
  }
  // Options that k6 has no variable for that works; whoever sets one should not believe that it was read.
  for (const char* unread : {"K6_HOSTS", "K6_THRESHOLDS", "K6_SCENARIOS", "K6_TLSAUTH", "K6_EXECUTION_SEGMENT"}) {
    if (const char* const value = std::getenv(unread); !value || !*value) continue;
    console.say(Console::kWarning, fmt::format("the environment variable {} is not read, as it is not by k6: say it in "
                                               "the script's options, or in a file with --config",
                                               unread));
  }
  auto from_environment = options_from_environment([](const char* name) -> const char* { return std::getenv(name); });
  if (!from_environment) return from_environment.error();
  options.apply(*from_environment);
  options.apply(settings.command_line);
  return options;
}

}  // namespace securebase::k6
