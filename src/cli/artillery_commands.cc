// `securebase artillery`, and `artillery` in the directory that `securebase env` puts on the PATH: Artillery's commands
// with its options, words and exit codes.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/load_runs.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "load/artillery/artillery.h"

namespace securebase::cli {

namespace {

namespace artillery = load::artillery;

constexpr const char* kArtilleryExitCodes =
    "Exit codes: 0 done; 1 the script is wrong, a check of `ensure` failed, or the processor crashed; 11 the "
    "processor\n"
    "cannot be loaded; 21 an expectation of the plugin expect failed; 130 and 143 ended by SIGINT and SIGTERM; 64 the\n"
    "command line was wrong.\n";

struct ArtilleryOptions {
  artillery::RunOptions run;
  std::vector<std::filesystem::path> scripts;
  std::vector<std::filesystem::path> inputs;
  std::string config;
  std::string platform = "local";
  std::string ignored;
  bool record = false;
  // quick
  std::string url;
  std::uint64_t users = 10;
  std::uint64_t requests = 10;
  // report
  std::filesystem::path report;
};
using Given = std::shared_ptr<ArtilleryOptions>;

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
  return std::clamp<std::size_t>(size.ws_col, 50, 79);
}

// The platform's gates rest on load tests, whoever's script it was.
int start(artillery::RunOptions options, const std::string& scenario) {
  const LoadRunNote note(platform::default_state_directory());
  const auto report = options.output.empty() ? std::string() : std::filesystem::absolute(options.output).native();
  options.ended = [&](const artillery::Outcome& ended) {
    LoadOutcome outcome;
    outcome.tool = "artillery";
    outcome.scenario = scenario;
    outcome.target = ended.target;
    outcome.verdict = verdict_word(ended.valid, ended.passed);
    outcome.failed_thresholds = ended.failed_checks;
    outcome.requests = ended.requests;
    outcome.errors_percent = ended.errors_percent;
    outcome.p50_ms = ended.p50_ms;
    outcome.p95_ms = ended.p95_ms;
    outcome.p99_ms = ended.p99_ms;
    outcome.report = report;
    note.tell(outcome);
  };
  options.ask_hops = [&](std::chrono::milliseconds duration, double requests) {
    return note.hops_of(duration, requests);
  };
  options.colour = colour_on(STDOUT_FILENO);
  options.columns = terminal_columns();
  return artillery::run(
      std::move(options),
      [](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
      },
      [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
}

int run_script(const Given& given) {
  if (given->platform != "local") {
    return fail(Error{Errc::kUnsupported, fmt::format("--platform {}: only local is here; for several machines see "
                                                      "`securebase load run --worker`",
                                                      given->platform)});
  }
  if (given->record) fmt::print(stderr, "WARNING: --record: nothing is sent to Artillery Cloud from here\n");
  auto options = given->run;
  options.script.files = given->scripts;
  options.script.files.insert(options.script.files.end(), given->inputs.begin(), given->inputs.end());
  if (!given->config.empty()) options.script.config = given->config;
  return start(std::move(options), given->scripts.front().filename().native());
}

int run_quick(const Given& given) {
  if (given->url.find("://") == std::string::npos) {
    return fail(
        Error{Errc::kMalformed, fmt::format("expected a URL with http:// or https://, and \"{}\" came", given->url)});
  }
  auto options = given->run;
  options.text = artillery::quick_script(given->url, given->users, given->requests, options.script.insecure);
  return start(std::move(options), "quick");
}

int write_report(const Given& given) {
  auto html = given->run.html;
  if (html.empty()) html = given->report.native() + ".html";
  if (auto written = artillery::write_html(given->report, html); !written) return fail(written.error());
  fmt::print("Report generated: {}\n", html.native());
  return kDone;
}

void add_run_options(CLI::App& command, const Given& given) {
  auto& script = given->run.script;
  command.add_option("script", given->scripts, "The script, in YAML or JSON; more of them are laid over it")
      ->required()
      ->type_name("FILE");
  command.add_option("--target,-t", script.target, "Instead of the script's target")->type_name("URL");
  command.add_option("--config,-c", given->config, "A file with the config of the test")->type_name("FILE");
  command.add_option("--environment,-e", script.environment, "One of config.environments")->type_name("NAME");
  command.add_option("--scenario-name", script.scenario_name, "The one scenario that is run")->type_name("NAME");
  command.add_option("--output,-o", given->run.output, "Where the report is written, as JSON")->type_name("FILE");
  command.add_option("--html", given->run.html, "Where the report is written for people: one page")->type_name("FILE");
  command.add_option("--dotenv,--env-file", given->run.dotenv, "A file of NAME=value lines for $env")
      ->type_name("FILE");
  command.add_option("--variables,-v", script.variables, "Variables of the users, as a JSON object")->type_name("JSON");
  command.add_option("--overrides", script.overrides, "What is laid over the script, as a JSON object")
      ->type_name("JSON");
  command.add_option("--payload,-p", script.payload, "The CSV file of a payload that names none")->type_name("FILE");
  command.add_flag("--insecure,-k", script.insecure, "Do not check certificates");
  command.add_flag("--quiet,-q", given->run.quiet, "No progress on the terminal");
  command.add_option("--input,-i", given->inputs, "More script files; may be repeated")->type_name("FILE");
  command.add_flag("--solo,-s", script.solo, "One virtual user only");
  auto* workers =
      command.add_option("--workers", given->run.workers, "Threads; by default half of the machine's, or $WORKERS")
          ->check(CLI::Range(1, 256));
  command.add_option("--count", given->run.workers, "Artillery's name for the same")
      ->check(CLI::Range(1, 256))
      ->excludes(workers);
  command.add_option("--platform", given->platform, "Only local is here");
  // Of Artillery Cloud: accepted, so that command lines need not be changed.
  for (const char* option : {"--name", "--tags", "--note", "--key", "--platform-opt"}) {
    command.add_option(option, given->ignored, "Accepted, and without effect");
  }
  command.add_flag("--record", given->record, "Accepted, and without effect");
}

}  // namespace

void add_artillery_commands(CLI::App& app, std::function<int()>& chosen) {
  const auto given = std::make_shared<ArtilleryOptions>();
  auto* command = app.add_subcommand("artillery", "Artillery's scripts: run FILE, report report.json, quick URL");
  command->require_subcommand(1);
  command->footer(kArtilleryExitCodes);

  auto* run_command = command->add_subcommand("run", "Run a script");
  add_run_options(*run_command, given);
  run_command->footer(kArtilleryExitCodes);
  run_command->callback([given, &chosen] { chosen = [given] { return run_script(given); }; });

  auto* quick_command = command->add_subcommand("quick", "Send GET requests without a script");
  quick_command->add_option("url", given->url, "What is asked for")->required()->type_name("URL");
  quick_command->add_option("--count,-c", given->users, "Users, who arrive within a second")->capture_default_str();
  quick_command->add_option("--num,-n", given->requests, "Requests of each user")->capture_default_str();
  quick_command->add_option("--output,-o", given->run.output, "Where the report is written, as JSON")
      ->type_name("FILE");
  quick_command->add_flag("--insecure,-k", given->run.script.insecure, "Do not check certificates");
  quick_command->add_flag("--quiet,-q", given->run.quiet, "No progress on the terminal");
  quick_command->callback([given, &chosen] { chosen = [given] { return run_quick(given); }; });

  auto* report_command = command->add_subcommand("report", "Make a page of a report.json, Artillery's own or ours");
  report_command->add_option("report", given->report, "The report")->required()->type_name("FILE");
  report_command
      ->add_option("--output,-o", given->run.html, "The page; by default the report's name with .html behind it")
      ->type_name("FILE");
  report_command->callback([given, &chosen] { chosen = [given] { return write_report(given); }; });
}

}  // namespace securebase::cli
