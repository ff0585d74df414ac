// The command line: what can be said, and what it means.
#include <fmt/format.h>

#include <cmath>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/version.h"

namespace securebase::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kAbout =
    "SecureBase carries a request from CDN edge through API gateway, functions and cache to PostgreSQL,\n"
    "configured by Terraform and measured while it runs.\n\n"
    "  securebase up service/infra                 start the platform on a stack\n"
    "  securebase plan service/infra               what a stack asks for, and what of it is not honoured here\n"
    "  eval \"$(securebase env)\"                    credentials for psql, redis-cli and the AWS clients\n"
    "  securebase targets                          p95, hit rates, cold starts, uptime: measured, with a verdict\n"
    "  securebase alarms                           what is in which state, and why; history, backtests\n"
    "  securebase notify                           who is told, what waits, what could not be delivered\n"
    "  securebase traces slow                      where the p95 of every route went\n"
    "  securebase uptime                           availability by canary, and what is left of the error budget\n"
    "  securebase rum                              page loads as visitors' browsers saw them, with their traces\n"
    "  securebase lighthouse URL                   Lighthouse's score of a page, the median of five runs\n"
    "  securebase invalidate '/*'                  what is cached under a path is stale, everywhere\n";

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed, the reason is on standard error, or `targets` has a row that does not pass, or "
    "`alarms --check` one in ALARM;\n2 `plan --detailed-exitcode` found changes; "
    "64 the command line was wrong.";

// -var name=value, as Terraform has it.
void add_stack_options(CLI::App& command, platform::StackSource& source, std::vector<std::string>& variables) {
  command.add_option("directory", source.directory, "The stack: a directory of .tf files")
      ->required()
      ->type_name("DIR");
  command.add_option("--var,-v", variables, "A variable's value: name=value; may be repeated")->type_name("NAME=VALUE");
  command.add_option("--var-file", source.variable_files, "A .tfvars file; may be repeated")->type_name("FILE");
  command
      .add_option("--allow-files", source.file_roots,
                  "A folder beside the stack's own whose files file(), fileset() and others may read; may be repeated")
      ->type_name("DIR");
}

// Credentials are in files: a command line is seen by every user of the machine.
void add_export_options(CLI::App& command, platform::Exports& exports, double& seconds) {
  command.add_option("--remote-write", exports.remote_write_url, "Push metrics there by Prometheus' remote write")
      ->type_name("URL");
  command
      .add_option("--remote-write-headers", exports.remote_write_headers,
                  "A file of \"Name: value\" lines that go with each request, like Authorization: Bearer ...")
      ->type_name("FILE");
  command
      .add_option("--otlp-metrics", exports.otlp_metrics_url,
                  "Push metrics there by OTLP/HTTP: http://host:4318/v1/metrics")
      ->type_name("URL");
  command.add_option("--otlp-metrics-headers", exports.otlp_metrics_headers, "The same for OTLP")->type_name("FILE");
  command.add_option("--export-interval", seconds, "Seconds between two pushes")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

Result<Done> split_variables(const std::vector<std::string>& texts, platform::StackSource& source) {
  for (const auto& text : texts) {
    const auto at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return Error{Errc::kMalformed, fmt::format("--var takes name=value, not \"{}\"", text)};
    }
    source.variables.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  return Done{};
}

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

  fs::path state = platform::default_state_directory();
  std::vector<std::string> variables;
  const auto add_state = [&state](CLI::App& command) { add_state_option(command, state); };
  std::function<int()> chosen;  // by commands that say themselves what they do

  platform::Settings settings;
  double export_seconds = 15;
  auto* up_command = app.add_subcommand("up", "Start the platform on a stack; Ctrl-C stops it");
  add_stack_options(*up_command, settings.stack, variables);
  add_state(*up_command);
  up_command->add_option("--bind", settings.bind, "The address to listen on; anything but loopback is open to others")
      ->capture_default_str();
  up_command->add_option("--http-port", settings.http_port, "The edge")->capture_default_str();
  up_command->add_option("--https-port", settings.https_port, "The edge, TLS")->capture_default_str();
  up_command->add_option("--aws-port", settings.aws_port, "The AWS APIs")->capture_default_str();
  up_command->add_option("--operator-port", settings.operator_port, "/metrics and /healthz")->capture_default_str();
  up_command->add_option("--xray-port", settings.xray_port, "The X-Ray daemon, UDP and TCP; 0 is none")
      ->capture_default_str();
  up_command->add_option("--postgres-port", settings.postgres_port, "PostgreSQL, over the stack's port; else 5432");
  up_command->add_option("--redis-port", settings.redis_port, "Redis, over the stack's port; else 6379");
  up_command
      ->add_option("--otlp-traces", settings.otlp_traces,
                   "Send kept traces to a collector as well, by OTLP/HTTP: http://127.0.0.1:4318/v1/traces")
      ->type_name("URL");
  up_command->add_option("--workers", settings.workers, "Event loops; 0 is one to a core")->capture_default_str();
  up_command->add_option("--edge-cache-bytes", settings.edge_cache_bytes, "What the edge keeps in memory")
      ->capture_default_str()
      ->transform(CLI::AsSizeValue(false));

  add_export_options(*up_command, settings.exports, export_seconds);

  PlanOptions plan_options;
  auto* plan_command = app.add_subcommand("plan", "What a stack asks for, and what would change");
  add_stack_options(*plan_command, plan_options.source, variables);
  add_state(*plan_command);
  plan_command->add_flag("--detailed-exitcode", plan_options.detailed_exitcode,
                         "Exit with 2 when something would change");

  ApplyOptions apply_options;
  auto* apply_command =
      app.add_subcommand("apply", "Change the running platform to a stack, without dropping a connection");
  add_stack_options(*apply_command, apply_options.source, variables);
  add_state(*apply_command);
  apply_command->add_flag("--auto-approve", apply_options.auto_approve, "Do not ask");

  bool as_json = false;
  auto* status_command = app.add_subcommand("status", "What runs, where, and how it is doing");
  add_state(*status_command);
  status_command->add_flag("--json", as_json, "For programs");

  auto* environment_command =
      app.add_subcommand("env", "Shell exports for psql, redis-cli and AWS clients: eval \"$(securebase env)\"");
  add_state(*environment_command);

  InvokeOptions invoke_options;
  auto* invoke_command = app.add_subcommand("invoke", "Call a function");
  invoke_command->add_option("function", invoke_options.function, "Its name or ARN, with a qualifier or without")
      ->required();
  invoke_command->add_option("--payload,-p", invoke_options.payload, "The event: JSON, @FILE, or - for standard input")
      ->capture_default_str();
  invoke_command->add_flag("--log", invoke_options.log, "Say how long it took, on standard error");
  add_state(*invoke_command);

  InvalidateOptions invalidate_options;
  auto* invalidate_command = app.add_subcommand(
      "invalidate", "Make what is cached stale at edge, gateway and Redis: paths (/a, /a/*) or '#tags'");
  invalidate_command->add_option("what", invalidate_options.what, "Paths and #tags")
      ->required()
      ->type_name("PATH|#TAG");
  invalidate_command->add_flag("--hard", invalidate_options.hard, "Nothing stale is served while it is fetched again");
  add_state(*invalidate_command);

  TargetsOptions targets_options;
  std::int64_t window_seconds = targets_options.window.count();
  auto* targets_command = app.add_subcommand(
      "targets", "The performance targets, measured live: value, samples, verdict, and the command that shows it");
  targets_command->add_option("--window", window_seconds, "What is looked at, up to now: 90s, 15m, 1h, 7d")
      ->transform(durations())
      ->default_str("1h");
  targets_command->add_flag("--json", targets_options.json, "For programs");
  targets_command->add_flag("--watch", targets_options.watch, "Measure again each two seconds");
  add_state(*targets_command);

  add_alarm_commands(app, state, chosen);
  add_notify_commands(app, state, chosen);
  add_log_commands(app, state, chosen);
  add_gate_commands(app, state, chosen);
  TracesOptions traces_options;
  std::int64_t traces_window = traces_options.window.count();
  auto* traces_command = app.add_subcommand(
      "traces", "The traces that were kept; with an id, one of them whole; where the time of a route went");
  const auto add_traces_options = [&](CLI::App& command) {
    command.add_option("--window", traces_window, "What is looked at, up to now: 90s, 15m, 1h, 7d")
        ->transform(
            CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
                                  CLI::AsNumberWithUnit::CASE_INSENSITIVE))
        ->default_str("1h");
    command.add_flag("--json", traces_options.json, "For programs");
    add_state(command);
  };
  traces_command->add_option("id", traces_options.id, "A trace: 1-5759e988-bd862e3fe1be46a994272793")->type_name("ID");
  traces_command->add_option("--filter", traces_options.filter, "X-Ray's filter expression: 'fault AND duration > 1'");
  traces_command->add_option("--most", traces_options.most, "How many, the last ones")->capture_default_str();
  add_traces_options(*traces_command);
  auto* slow_command = traces_command->add_subcommand(
      "slow", "Where the p95 went, counted over every request; with a route, how its slow traces differ");
  slow_command->add_option("route", traces_options.route, "GET /v1/customers/{id}, or function NAME");
  add_traces_options(*slow_command);
  UptimeOptions uptime_options;
  std::int64_t uptime_seconds = uptime_options.window.count();
  auto* uptime_command =
      app.add_subcommand("uptime", "Availability by canary, what is left of the error budget, and how fast it goes");
  uptime_command->add_option("--window", uptime_seconds, "What is looked at, up to now: 1h, 7d, 30d")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
                                CLI::AsNumberWithUnit::CASE_INSENSITIVE))
      ->default_str("30d");
  uptime_command->add_option("--objective", uptime_options.objective, "Percent of the time that is up")
      ->capture_default_str();
  uptime_command->add_flag("--json", uptime_options.json, "For programs");
  add_state(*uptime_command);

  RumOptions rum_options;
  auto* rum_command = app.add_subcommand(
      "rum", "Page loads as visitors' browsers saw them: vitals by page, single views with their traces");
  rum_command->add_option("--limit", rum_options.most, "How many single views are shown")->capture_default_str();
  rum_command->add_flag("--slow", rum_options.slowest, "The slowest views rather than the newest");
  rum_command->add_flag("--json", rum_options.json, "For programs");
  add_state(*rum_command);

  LighthouseOptions lighthouse_options;
  auto* lighthouse_command = app.add_subcommand(
      "lighthouse",
      "Lighthouse's performance score of a page in Chromium: the median of several runs, with its spread");
  lighthouse_command->add_option("url", lighthouse_options.url, "The page")->required()->type_name("URL");
  lighthouse_command->add_option("--runs", lighthouse_options.runs, "How often")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  lighthouse_command
      ->add_option("--min-score", lighthouse_options.min_score, "Exit with 1 when the median is below this")
      ->check(CLI::Range(0, 100));
  lighthouse_command->add_flag("--desktop", lighthouse_options.desktop, "A desktop rather than a telephone");
  lighthouse_command->add_flag("--insecure", lighthouse_options.insecure, "Do not check certificates");
  lighthouse_command->add_flag("!--no-record", lighthouse_options.record,
                               "Keep no metric: SecureBase/Performance LighthousePerformance");
  lighthouse_command->add_flag("--json", lighthouse_options.json, "For programs");
  add_state(*lighthouse_command);

  CredentialsOptions credentials_options;
  auto* credentials_command = app.add_subcommand("credentials", "Users of the AWS APIs, and their keys");
  credentials_command->require_subcommand(1);
  const auto add_credentials = [&](const char* what, const char* about, bool named) {
    auto* command = credentials_command->add_subcommand(what, about);
    if (named) command->add_option("name", credentials_options.name, "The user")->required()->type_name("NAME");
    add_state(*command);
    command->callback([&credentials_options, what] { credentials_options.what = what; });
  };
  add_credentials("create", "Make a user; the secret key is shown this once", true);
  add_credentials("list", "Users and their access keys", false);
  add_credentials("delete", "A user's key and sessions end at once", true);
  add_credentials("rotate", "Another key for a user; the old one and its sessions end at once", true);

  auto* operations_command = app.add_subcommand("operations", "What is answered of the AWS APIs, by service");
  add_state(*operations_command);

  auto* version_command = app.add_subcommand("version", "Which SecureBase this is");

  try {
    app.parse(terraform_spelling(argc, argv));
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kDone : kUsage;
  }

  for (auto* source : {&settings.stack, &plan_options.source, &apply_options.source}) {
    if (source->directory.empty()) continue;
    if (auto split = split_variables(variables, *source); !split) {
      fail(split.error());
      return kUsage;
    }
  }
  settings.exports.interval = std::chrono::milliseconds(std::llround(export_seconds * 1000));
  settings.state = plan_options.state = apply_options.state = state;
  credentials_options.state = invoke_options.state = invalidate_options.state = targets_options.state =
      rum_options.state = lighthouse_options.state = uptime_options.state = state;

  if (chosen) return chosen();
  if (up_command->parsed()) return up(settings);
  if (plan_command->parsed()) return plan(plan_options);
  if (apply_command->parsed()) return apply(apply_options);
  if (status_command->parsed()) return status(state, as_json);
  if (environment_command->parsed()) return environment(state);
  if (invoke_command->parsed()) return invoke(invoke_options);
  if (invalidate_command->parsed()) return invalidate(invalidate_options);
  targets_options.window = std::chrono::seconds{window_seconds};
  if (targets_command->parsed()) return targets(targets_options);
  traces_options.state = state;
  traces_options.window = std::chrono::seconds{traces_window};
  if (!traces_options.id.empty()) traces_options.what = "show";
  if (slow_command->parsed()) traces_options.what = traces_options.route.empty() ? "routes" : "slow";
  if (traces_command->parsed()) return traces(traces_options);
  uptime_options.window = std::chrono::seconds{uptime_seconds};
  if (uptime_command->parsed()) return uptime(uptime_options);
  if (rum_command->parsed()) return rum(rum_options);
  if (lighthouse_command->parsed()) return lighthouse(lighthouse_options);
  if (credentials_command->parsed()) return credentials(credentials_options);
  if (operations_command->parsed()) return operations(state);
  if (version_command->parsed()) fmt::print("securebase {}\n", kVersion);
  return kDone;
}

}  // namespace securebase::cli
