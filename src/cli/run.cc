// The command line: what can be said, and what it means.
#include <fmt/format.h>

#include <cctype>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/version.h"

namespace securebase::cli {

namespace {

constexpr const char* kAbout =
    "SecureBase carries a request from CDN edge through API gateway, functions and cache to PostgreSQL,\n"
    "configured by Terraform and measured while it runs.\n\n"
    "  securebase up DIR                           start the platform on a stack\n"
    "  securebase plan DIR                         what a stack asks for, and what of it is not honoured here\n"
    "  eval \"$(securebase env)\"                    credentials for psql, redis-cli and the AWS clients\n"
    "  securebase targets                          p95, hit rates, cold starts, uptime: measured, with a verdict\n"
    "  securebase alarms                           what is in which state, and why; history, backtests\n"
    "  securebase notify                           who is told, what waits, what could not be delivered\n"
    "  securebase traces slow                      where the p95 of every route went\n"
    "  securebase uptime                           availability by canary, and what is left of the error budget\n"
    "  securebase rum                              page loads as visitors' browsers saw them, with their traces\n"
    "  securebase lighthouse URL                   Lighthouse's score of a page, the median of five runs\n"
    "  securebase check pre-deploy                 the checklists as gates: pass, fail, or not enough evidence\n"
    "  securebase rollback                         go back to the configuration before, code of functions included\n"
    "  securebase load run URL --users 10          latency under load, with thresholds; baseline, capacity, spike, "
    "endurance\n"
    "  securebase artillery run FILE               an Artillery script, with its report; artillery report, quick\n"
    "  securebase invalidate '/*'                  what is cached under a path is stale, everywhere\n";

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed, the reason is on standard error, or `targets` has a row that does not pass, or "
    "`alarms --check` one in ALARM;\n2 `plan --detailed-exitcode` found changes; 3 `check` has not enough evidence; "
    "64 the command line was wrong.";

// Terraform's users write -var and -detailed-exitcode with one hyphen; CLI11 reads these as bundles of short options.
std::vector<std::string> terraform_spelling(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = argc - 1; i >= 1; --i) {  // CLI11 takes them in reverse
    std::string word = argv[i];
    const bool long_name = word.size() > 2 && word[0] == '-' && word[1] != '-' && !std::isdigit(word[1]);
    words.push_back(long_name ? "-" + word : word);
  }
  return words;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app(kAbout, "securebase");
  app.footer(kExitCodes);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "The help of every command");

  std::filesystem::path state = platform::default_state_directory();
  Chosen chosen;
  add_stack_commands(app, state, chosen);
  add_asking_commands(app, state, chosen);
  add_view_commands(app, state, chosen);
  add_alarm_commands(app, state, chosen);
  add_notify_commands(app, state, chosen);
  add_log_commands(app, state, chosen);
  add_lighthouse_command(app, state, chosen);
  add_load_commands(app, state, chosen);
  add_artillery_commands(app, chosen);
  // Never parsed here: main.cc hands its words to securebase-k6.
  app.add_subcommand("k6", "Run k6 scripts, with k6's own flags: securebase k6 run script.js");
  add_gate_commands(app, state, chosen);
  app.add_subcommand("version", "Which SecureBase this is")->callback([&chosen] {
    chosen = [] {
      fmt::print("securebase {}\n", kVersion);
      return kDone;
    };
  });

  try {
    app.parse(terraform_spelling(argc, argv));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kDone : kUsage;
  }
  return chosen ? chosen() : kDone;
}

}  // namespace securebase::cli
