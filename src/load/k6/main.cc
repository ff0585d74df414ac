// securebase-k6: runs k6 scripts. A program of its own, because it loads JavaScriptCore, which `securebase` does not
// need.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "k6/run.h"
#include "k6/vm.h"

namespace securebase::k6 {
namespace {

// What the command line says, before it is understood.
struct Words {
  std::string vus, duration, iterations, setup_timeout, max_redirects, batch, batch_per_host, rps, user_agent,
      http_debug, min_iteration_duration, summary_time_unit, dns, config;
  std::vector<std::string> stages, tags, env, trend_stats, system_tags, outputs, blacklist, blocked, jslib;
  bool no_setup = false, no_teardown = false, insecure = false, no_reuse = false, no_vu_reuse = false, throws = false,
       discard = false, no_summary = false, no_colour = false, ignored = false;
  std::string ignored_text;
};

void add_run_options(CLI::App& app, RunSettings& settings, Words& words) {
  app.add_option("script", settings.script, "The script; - is standard input")->required();
  app.add_option("-u,--vus", words.vus, "Number of virtual users");
  app.add_option("-d,--duration", words.duration, "How long the test lasts, as 30s or 1m30s");
  app.add_option("-i,--iterations", words.iterations, "Iterations, shared among all users");
  app.add_option("-s,--stage", words.stages, "A stage as duration:target, as 30s:10; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-e,--env", words.env, "A variable for __ENV, as NAME=value; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--include-system-env-vars,!--no-include-system-env-vars", settings.include_system_environment,
               "__ENV has the environment too")
      ->default_val(true);
  app.add_option("--tag", words.tags, "A tag of all samples, as name=value; may be repeated")->allow_extra_args(false);
  app.add_option("-o,--out", words.outputs, "Every sample to a file: json=FILE or csv=FILE; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-c,--config", words.config, "A JSON file with options, below those of the script");
  app.add_option("--summary-export", settings.summary_export, "The summary as JSON into this file");
  app.add_option("--html", settings.html, "The run as one page for people into this file; not in k6");
  app.add_option("--summary-trend-stats", words.trend_stats, "Columns of trends, as avg,p(95),p(99.9)")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--summary-time-unit", words.summary_time_unit, "Unit of times: s, ms or us");
  app.add_option("--summary-mode", settings.summary_mode, "compact, full or disabled")
      ->check(CLI::IsMember({"compact", "full", "disabled", "legacy"}));
  app.add_flag("--no-summary", words.no_summary, "No summary at the end");
  app.add_flag("-q,--quiet", settings.quiet, "No progress");
  app.add_flag("-v,--verbose", settings.verbose, "Debug messages");
  app.add_flag("--no-color,--no-colour", words.no_colour, "No colours");
  app.add_flag("--no-thresholds", settings.no_thresholds, "Thresholds are not looked at");
  app.add_flag("--no-setup", words.no_setup, "setup() is not called");
  app.add_flag("--no-teardown", words.no_teardown, "teardown() is not called");
  app.add_option("--max-redirects", words.max_redirects, "Redirects that are followed (10)");
  app.add_option("--batch", words.batch, "Requests of a batch at once (20)");
  app.add_option("--batch-per-host", words.batch_per_host, "Requests of a batch at once to one host (6)");
  app.add_option("--rps", words.rps, "Requests a second, at most, of all users");
  app.add_option("--user-agent", words.user_agent, "The User-Agent field");
  app.add_option("--http-debug", words.http_debug, "Shows requests and answers: headers, or full with bodies")
      ->expected(0, 1)
      ->default_str("headers");
  app.add_flag("--insecure-skip-tls-verify", words.insecure, "Certificates are not checked");
  app.add_flag("--no-connection-reuse", words.no_reuse, "A new connection for each request");
  app.add_flag("--no-vu-connection-reuse", words.no_vu_reuse, "New connections for each iteration");
  app.add_option("--min-iteration-duration", words.min_iteration_duration, "An iteration lasts at least so long");
  app.add_flag("-w,--throw", words.throws, "Failed requests throw");
  app.add_option("--blacklist-ip", words.blacklist, "Addresses that are not connected to, as 10.0.0.0/8")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--block-hostnames", words.blocked, "Names that are not connected to, as *.example.com")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--system-tags", words.system_tags, "Accepted; all system tags are there")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--dns", words.dns, "policy=preferIPv4 and its sisters");
  app.add_flag("--discard-response-bodies", words.discard, "Bodies are read and dropped");
  app.add_option("--console-output", settings.console_output, "What scripts log goes into this file");
  app.add_option("--jslib", words.jslib, "A directory with copies of modules that scripts import by URL")
      ->allow_extra_args(false);
  // Of `securebase k6`, which starts this program: platform_hops.h.
  app.add_option("--platform-socket", settings.platform_socket)->group("");
  app.add_flag("--no-usage-report,-l,--linger", words.ignored, "Accepted, without effect");
  for (const char* name : {"--address,-a", "--log-output", "--log-format", "--compatibility-mode", "--type,-t",
                           "--features", "--traces-output"}) {
    app.add_option(name, words.ignored_text, "Accepted, without effect");
  }
}

Result<Done> put_pairs(const std::vector<std::string>& words, std::map<std::string, std::string>& into,
                       std::string_view flag) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos && flag == "--env") {
      const char* const value = std::getenv(word.c_str());  // as in k6: the name alone takes the environment's value
      into[word] = value ? value : "";
      continue;
    }
    if (equals == std::string::npos || equals == 0) {
      return Error{Errc::kMalformed, std::string(flag) + ": expected NAME=value, found '" + word + "'"};
    }
    into[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return Done{};
}

// The command line as options: by way of JSON, so that what is wrong reads the same wherever it was said.
Result<Done> understand(Words& words, RunSettings& settings, bool http_debug) {
  base::Json made = base::Json::object();
  const auto text = [&made](const char* name, const std::string& value) {
    if (!value.empty()) made.set(name, value);
  };
  const auto flag = [&made](const char* name, bool value) {
    if (value) made.set(name, true);
  };
  const auto list = [&made](const char* name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    base::Json array = base::Json::array();
    for (const auto& value : values) array.push_back(value);
    made.set(name, std::move(array));
  };
  for (const auto& [name, value] : {std::pair{"vus", &words.vus}, std::pair{"iterations", &words.iterations},
                                    std::pair{"maxRedirects", &words.max_redirects}, std::pair{"batch", &words.batch},
                                    std::pair{"batchPerHost", &words.batch_per_host}, std::pair{"rps", &words.rps}}) {
    if (value->empty()) continue;
    auto number = base::Json::parse(*value);
    made.set(name, number && number->is_number() ? *number : base::Json(*value));
  }
  text("duration", words.duration);
  text("minIterationDuration", words.min_iteration_duration);
  text("userAgent", words.user_agent);
  text("summaryTimeUnit", words.summary_time_unit);
  text("dns", words.dns);
  if (http_debug) text("httpDebug", words.http_debug.empty() ? "headers" : words.http_debug);
  list("summaryTrendStats", words.trend_stats);
  list("systemTags", words.system_tags);
  list("blacklistIPs", words.blacklist);
  list("blockHostnames", words.blocked);
  flag("noSetup", words.no_setup);
  flag("noTeardown", words.no_teardown);
  flag("insecureSkipTLSVerify", words.insecure);
  flag("noConnectionReuse", words.no_reuse);
  flag("noVUConnectionReuse", words.no_vu_reuse);
  flag("throw", words.throws);
  flag("discardResponseBodies", words.discard);
  auto options = options_from(made);
  if (!options) return options.error().within("the command line");
  settings.command_line = std::move(*options);
  for (const auto& one : words.stages) {
    auto stages = parse_stages(one);
    if (!stages) return stages.error().within("--stage");
    if (!settings.command_line.stages) settings.command_line.stages.emplace();
    settings.command_line.stages->insert(settings.command_line.stages->end(), stages->begin(), stages->end());
  }
  if (auto put = put_pairs(words.env, settings.environment, "--env"); !put) return put.error();
  if (auto put = put_pairs(words.tags, settings.command_line.tags, "--tag"); !put) return put.error();
  settings.outputs = words.outputs;
  for (const auto& directory : words.jslib) settings.vendor.emplace_back(directory);
  if (!words.config.empty()) settings.config = words.config;
  if (words.no_summary) settings.summary_mode = "disabled";
  if (words.no_colour || std::getenv("NO_COLOR")) settings.colours = false;
  return Done{};
}

int k6_main(int argc, char** argv) {
  CLI::App app{"Runs k6 scripts"};
  app.name("k6");
  app.require_subcommand(1);
  RunSettings settings;
  Words words;
  CLI::App* const run = app.add_subcommand("run", "Runs a script");
  add_run_options(*run, settings, words);
  CLI::App* const inspect = app.add_subcommand("inspect", "Shows the options that a run would have");
  add_run_options(*inspect, settings, words);
  inspect->add_flag("--execution-requirements", words.ignored, "Accepted, without effect");
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
  CLI::App* const chosen = run->parsed() ? run : inspect;
  if (auto understood = understand(words, settings, chosen->count("--http-debug") > 0); !understood) {
    std::cerr << "k6: " << understood.error().message << "\n";
    return exit_code::kInvalidConfiguration;
  }
  Vm::prepare_process();
  return run->parsed() ? run_script(settings) : inspect_script(settings);
}

}  // namespace
}  // namespace securebase::k6

int main(int argc, char** argv) { return securebase::k6::k6_main(argc, argv); }
