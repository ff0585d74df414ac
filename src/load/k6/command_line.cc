#include "k6/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

namespace securebase::k6 {

// What the command line says, before it is understood.
struct RunFlags::Words {
  std::string vus, duration, iterations, setup_timeout, max_redirects, batch, batch_per_host, rps, user_agent,
      http_debug, min_iteration_duration, summary_time_unit, dns, config;
  std::vector<std::string> stages, tags, env, trend_stats, system_tags, outputs, blacklist, blocked, jslib;
  bool no_setup = false, no_teardown = false, insecure = false, no_reuse = false, no_vu_reuse = false, throws = false,
       discard = false, no_summary = false, no_colour = false, paused = false, new_summary = false, ignored = false;
  std::string compatibility_mode = "extended", type = "js", traces = "none", segment, segments, ignored_text;
  std::vector<std::string> secrets, features;
};

RunFlags::RunFlags() : words_(std::make_unique<Words>()) {}
RunFlags::~RunFlags() = default;

void RunFlags::add_to(CLI::App& app, RunSettings& settings) {
  Words& words = *words_;
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
      ->default_val(true)
      ->envname("K6_INCLUDE_SYSTEM_ENV_VARS");
  app.add_option("--tag", words.tags, "A tag of all samples, as name=value; may be repeated")->allow_extra_args(false);
  app.add_option("-o,--out", words.outputs,
                 "Every sample to a file: json=FILE or csv=FILE, compressed where it ends in .gz; may be repeated")
      ->allow_extra_args(false)
      ->envname("K6_OUT");
  app.add_option("-c,--config", words.config, "A JSON file with options, below those of the script")
      ->envname("K6_CONFIG");
  app.add_option("--summary-export", settings.summary_export, "The summary as JSON into this file")
      ->envname("K6_SUMMARY_EXPORT");
  app.add_option("--html", settings.html, "The run as one page for people into this file; not in k6");
  app.add_option("--summary-trend-stats", words.trend_stats, "Columns of trends, as avg,p(95),p(99.9)")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--summary-time-unit", words.summary_time_unit, "Unit of times: s, ms or us");
  app.add_option("--summary-mode", settings.summary_mode, "compact, full or disabled")
      ->check(CLI::IsMember({"compact", "full", "disabled", "legacy"}))
      ->envname("K6_SUMMARY_MODE");
  app.add_flag("--no-summary", words.no_summary, "No summary at the end")->envname("K6_NO_SUMMARY");
  app.add_flag("-q,--quiet", settings.quiet, "No progress");
  app.add_flag("-v,--verbose", settings.verbose, "Debug messages");
  app.add_flag("--no-color,--no-colour", words.no_colour, "No colours")->envname("K6_NO_COLOR");
  app.add_flag("--no-thresholds", settings.no_thresholds, "Thresholds are not looked at")->envname("K6_NO_THRESHOLDS");
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
  app.add_option("--system-tags", words.system_tags, "Which of the system's tags outputs have, as url,status")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--dns", words.dns, "How names are looked up: ttl=5m,select=roundRobin,policy=preferIPv4");
  app.add_option("--local-ips", settings.local_ips, "Addresses that users make requests from, as 10.0.0.5-10.0.0.9")
      ->envname("K6_LOCAL_IPS");
  app.add_flag("--discard-response-bodies", words.discard, "Bodies are read and dropped");
  app.add_option("--console-output", settings.console_output, "What scripts log goes into this file")
      ->envname("K6_CONSOLE_OUTPUT");
  app.add_option("--log-output", settings.log_output, "Where messages go: stderr, stdout, none or file=PATH")
      ->envname("K6_LOG_OUTPUT");
  app.add_option("--log-format", settings.log_format, "How messages look: text, raw or json")->envname("K6_LOG_FORMAT");
  app.add_option("--jslib", words.jslib, "A directory with copies of modules that scripts import by URL")
      ->allow_extra_args(false);
  // Of `securebase k6`, which starts this program: platform_hops.h.
  app.add_option("--platform-socket", settings.platform_socket)->group("");
  app.add_option("--compatibility-mode", words.compatibility_mode, "extended or base: both run as they are")
      ->envname("K6_COMPATIBILITY_MODE");
  app.add_option("-t,--type", words.type, "js: other kinds of scripts are not read")->envname("K6_TYPE");
  // Nothing is reported to anybody, and there is no API to listen at or to stay for.
  app.add_flag("--no-usage-report,-l,--linger,--profiling-enabled", words.ignored, "Accepted, without effect");
  app.add_option("-a,--address", words.ignored_text, "Accepted, without effect");
  // Known, so that they are refused by what they are: refuse_flags().
  app.add_flag("-p,--paused", words.paused, "Refused: there is no API to resume a run by");
  app.add_option("--execution-segment", words.segment, "Refused: give each machine its share of the users");
  app.add_option("--execution-segment-sequence", words.segments, "Refused, as --execution-segment");
  app.add_option("--traces-output", words.traces, "none: k6's own traces are not made")->envname("K6_TRACES_OUTPUT");
  app.add_flag("--new-machine-readable-summary", words.new_summary, "Refused: summaries have their usual form")
      ->envname("K6_NEW_MACHINE_READABLE_SUMMARY");
  app.add_option("--secret-source", words.secrets, "Refused: give secrets with --env")
      ->allow_extra_args(false)
      ->envname("K6_SECRET_SOURCE");
  app.add_option("--features", words.features, "Refused: what k6 tries out is not here")
      ->allow_extra_args(false)
      ->envname("K6_FEATURES");
}

namespace {

Result<Done> put_pairs(const std::vector<std::string>& words, std::map<std::string, std::string>& into,
                       std::string_view flag) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos && flag == "--env") {
      const char* const value = std::getenv(word.c_str());  // as in k6: the name alone takes the environment's value
      into[word] = value ? value : "";
      continue;
    }
    if (flag == "--tag" && equals + 1 == word.size()) {
      return Error{Errc::kMalformed, "--tag: '" + word + "' has no value: expected NAME=value"};
    }
    if (equals == std::string::npos || equals == 0) {
      return Error{Errc::kMalformed, std::string(flag) + ": expected NAME=value, found '" + word + "'"};
    }
    into[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return Done{};
}

// What k6 has and is not here: said, and never done in part.
Result<Done> refuse_flags(const RunFlags::Words& words) {
  struct Refused {
    bool given;
    const char* why;
  };
  const Refused all[] = {
      {words.paused,
       "--paused: a run cannot wait for `k6 resume`, there is no API for it: start it when it should begin"},
      {!words.segment.empty() || !words.segments.empty(),
       "--execution-segment: segments of a run are not supported: give each machine its share of the users or of the "
       "rate"},
      {words.traces != "none", "--traces-output: k6's own traces are not made: expected none"},
      {words.new_summary, "--new-machine-readable-summary: summaries have their usual form only"},
      {!words.secrets.empty(), "--secret-source: secret sources are not supported: give secrets with --env"},
      {!words.features.empty(), "--features: what k6 tries out behind flags is not here"},
      {words.type != "js", "--type: only js is read: archives of k6 have to be unpacked first"},
      {words.compatibility_mode != "extended" && words.compatibility_mode != "base",
       "--compatibility-mode: expected extended or base: TypeScript is compiled to JavaScript first"}};
  for (const auto& one : all) {
    if (one.given) return Error{Errc::kUnsupported, one.why};
  }
  return Done{};
}

}  // namespace

// The command line as options: by way of JSON, so that what is wrong reads the same wherever it was said.
Result<Done> RunFlags::understand(RunSettings& settings, bool http_debug) const {
  const Words& words = *words_;
  if (auto accepted = refuse_flags(words); !accepted) return accepted;
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

}  // namespace securebase::k6
