// securebase-k6: runs k6 scripts. A program of its own, because it loads JavaScriptCore, which `securebase` does not
// need.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <utility>

#include "k6/command_line.h"
#include "k6/run.h"
#include "k6/vm.h"

namespace securebase::k6 {
namespace {

int k6_main(int argc, char** argv) {
  CLI::App app{"Runs k6 scripts"};
  app.name("k6");
  app.require_subcommand(1);
  RunSettings settings, inspect_settings;
  RunFlags flags, inspect_flags;
  CLI::App* const run = app.add_subcommand("run", "Runs a script");
  flags.add_to(*run, settings);
  CLI::App* const inspect = app.add_subcommand("inspect", "Shows the options that a run would have");
  inspect_flags.add_to(*inspect, inspect_settings);
  bool ignored = false;
  inspect->add_flag("--execution-requirements", ignored, "Accepted, without effect");
  CLI::App* const version = app.add_subcommand("version", "Shows the version");
  app.set_version_flag("--version", "k6 v2.2.0 (SecureBase " SECUREBASE_VERSION ", linux)");
  // As in k6, --http-debug takes its value with '=' only: alone it stands in front of the script's name.
  std::vector<std::string> arguments(argv + 1, argv + argc);
  for (auto& argument : arguments) {
    if (argument == "--http-debug") argument = "--http-debug=headers";
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : exit_code::kOther;
  }
  if (version->parsed()) {
    std::cout << "k6 v2.2.0 (SecureBase " SECUREBASE_VERSION ", linux)\n";
    return 0;
  }
  if (!run->parsed()) std::swap(settings, inspect_settings);
  const auto understood = run->parsed() ? flags.understand(settings, run->count("--http-debug") > 0)
                                        : inspect_flags.understand(settings, inspect->count("--http-debug") > 0);
  if (!understood) {
    std::cerr << "k6: " << understood.error().message << "\n";
    return exit_code::kInvalidConfiguration;
  }
  Vm::prepare_process();
  return run->parsed() ? run_script(settings) : inspect_script(settings);
}

}  // namespace
}  // namespace securebase::k6

int main(int argc, char** argv) { return securebase::k6::k6_main(argc, argv); }
