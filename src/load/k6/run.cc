#include "k6/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <thread>

#include "base/file.h"
#include "k6/crew.h"
#include "k6/executors.h"
#include "k6/page.h"
#include "k6/platform_hops.h"
#include "k6/summary.h"
#include "load/report/html.h"

extern char** environ;

namespace securebase::k6 {

namespace {

constexpr auto kTurn = std::chrono::seconds{1};             // metrics are collected, progress is shown
constexpr auto kThresholdsEvery = std::chrono::seconds{2};  // those with abortOnFail are looked at

std::atomic<StopAll*> stop_on_signal{nullptr};
std::atomic<int> signals{0};

void on_signal(int) {
  if (signals.fetch_add(1) > 0) _exit(exit_code::kExternalAbort);
  if (StopAll* const stop = stop_on_signal.load()) stop->stop();
}

// Everything of one run, in the order in which it is made.
class Run {
 public:
  explicit Run(const RunSettings& settings)
      : settings_(settings),
        console_(settings.verbose, settings.colours && isatty(2) == 1),
        collector_(base::system_clock()),
        modules_({vendor_of(settings)}),
        metrics_(collector_),
        shared_(modules_, metrics_, console_),
        recorder_(collector_.make_recorder()) {}

  ~Run() { stop_on_signal = nullptr; }

  // Reads the script and all options. An exit code: what was wrong has been said.
  std::optional<int> prepare() {
    set_environment();
    if (!settings_.console_output.empty() && !console_.write_scripts_to(settings_.console_output)) {
      return say(exit_code::kOther, fmt::format("--console-output: {} cannot be written", settings_.console_output));
    }
    auto loaded = load_script();
    if (!loaded) {
      const bool no_file = loaded.error().code == Errc::kNotFound && loaded.error().message.starts_with("the script ");
      return say(no_file ? exit_code::kOther : exit_code::kScriptException, loaded.error().message);
    }
    main_ = std::make_unique<User>(shared_, 0, recorder_);
    if (auto initialised = main_->initialise(); !initialised) {
      if (shared_.aborted_by_script) return exit_code::kScriptAborted;
      return say(exit_code::kScriptException, initialised.error().text());
    }
    return read_options();
  }

  int inspect() {
    std::cout << to_json(shared_.options, shared_.scenarios).dump(2) << "\n";
    return exit_code::kDone;
  }

  int carry_out() {
    catch_signals();
    if (!settings_.quiet) show_plan();
    Crew crew(shared_, collector_);
    if (auto hired = crew.hire(users_needed(shared_.scenarios, false)); !hired) {
      return shared_.aborted_by_script ? exit_code::kScriptAborted : exit_code::kScriptException;
    }
    main_->begin_requests();
    collector_.start();
    shared_.start = Steady::now();
    if (auto failed = set_up()) return *failed;
    run_scenarios(crew);
    elapsed_ = Steady::now() - shared_.start;
    const auto torn_down = tear_down();
    collector_.finish();
    return conclude(torn_down);
  }

 private:
  static std::vector<std::filesystem::path> vendor_of(const RunSettings& settings) {
    auto vendor = settings.vendor;
    if (const char* const named = std::getenv("K6_JSLIB"); named && *named) vendor.emplace_back(named);
    vendor.emplace_back("vendor");
    if (settings.script != "-") vendor.push_back(std::filesystem::path(settings.script).parent_path() / "vendor");
    return vendor;
  }

  int say(int code, const std::string& message) {
    console_.say(Console::kError, message);
    return code;
  }

  void set_environment() {
    if (settings_.include_system_environment) {
      for (char** entry = environ; *entry; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos)
          shared_.environment[std::string(text.substr(0, equals))] = text.substr(equals + 1);
      }
    }
    for (const auto& [name, value] : settings_.environment) shared_.environment[name] = value;
  }

  Result<std::size_t> load_script() {
    if (settings_.script != "-") return modules_.load_main(settings_.script);
    std::string source(std::istreambuf_iterator<char>(std::cin), {});
    return modules_.load_main_text(std::move(source), std::filesystem::current_path());
  }

  std::optional<int> read_options() {
    Options options;
    if (settings_.config) {
      auto bytes = base::read_file(*settings_.config);
      if (!bytes) return say(exit_code::kInvalidConfiguration, bytes.error().message);
      auto json = base::Json::parse(*bytes);
      if (!json) {
        return say(exit_code::kInvalidConfiguration,
                   fmt::format("{}: {}", settings_.config->native(), json.error().message));
      }
      auto from_file = options_from(*json);
      if (!from_file)
        return say(exit_code::kInvalidConfiguration,
                   fmt::format("{}: {}", settings_.config->native(), from_file.error().message));
      options = std::move(*from_file);
    }
    auto text = main_->options_text();
    if (!text) return say(exit_code::kScriptException, text.error().text());
    if (!text->empty()) {
      auto json = base::Json::parse(*text);
      if (!json)
        return say(exit_code::kInvalidConfiguration,
                   fmt::format("{}: the exported options: {}", settings_.script, json.error().message));
      std::vector<std::string> unknown;
      auto from_script = options_from(*json, &unknown);
      if (!from_script)
        return say(exit_code::kInvalidConfiguration,
                   fmt::format("{}: {}", settings_.script, from_script.error().message));
      for (const auto& name : unknown) {
        console_.say(Console::kWarning, fmt::format("{}: options.{} is not an option that k6 has; it has no effect",
                                                    settings_.script, name));
      }
      options.apply(*from_script);
    }
    auto from_environment = options_from_environment([](const char* name) -> const char* { return std::getenv(name); });
    if (!from_environment) return say(exit_code::kInvalidConfiguration, from_environment.error().message);
    options.apply(*from_environment);
    options.apply(settings_.command_line);

    std::vector<std::string> warnings;
    auto scenarios = scenarios_of(options, warnings);
    if (!scenarios) return say(exit_code::kInvalidConfiguration, scenarios.error().message);
    for (const auto& warning : warnings) console_.say(Console::kWarning, warning);
    for (const auto& scenario : *scenarios) {
      if (main_->exports(scenario.exec)) continue;
      std::string known = main_->exported_names();
      std::replace(known.begin(), known.end(), '\n', ' ');
      return say(
          exit_code::kInvalidConfiguration,
          fmt::format(
              "{}: the function '{}' of scenario '{}' is not exported: expected `export {}`; the script exports: {}",
              settings_.script, scenario.exec, scenario.name,
              scenario.exec == "default" ? "default function () {...}"
                                         : fmt::format("function {}() {{...}}", scenario.exec),
              known.empty() ? "nothing" : known));
    }
    if (users_needed(*scenarios, true) > Scenario::kMostVus) {
      return say(exit_code::kInvalidConfiguration,
                 fmt::format("the scenarios together ask for {} users: one generator has at most {}",
                             users_needed(*scenarios, true), Scenario::kMostVus));
    }
    if (options.thresholds && !settings_.no_thresholds) {
      if (auto added = metrics_.add_thresholds(*options.thresholds); !added) {
        return say(exit_code::kInvalidConfiguration, fmt::format("{}: {}", settings_.script, added.error().message));
      }
    }
    for (const auto& output : settings_.outputs) {
      if (auto opened = metrics_.write_to(output); !opened)
        return say(exit_code::kInvalidConfiguration, opened.error().message);
    }
    shared_.options = std::move(options);
    shared_.scenarios = std::move(*scenarios);
    shared_.options_json = to_json(shared_.options, shared_.scenarios).dump();
    shared_.user_agent = shared_.options.user_agent.value_or("k6/2.2.0 (SecureBase)");
    for (const auto& [name, value] : shared_.options.tags) shared_.run_tags.emplace_back(name, value);
    return prepare_http();
  }

  std::optional<int> prepare_http() {
    const Options& options = shared_.options;
    HttpShared::Settings http;
    http.insecure_skip_tls_verify = options.insecure_skip_tls_verify.value_or(false);
    http.keep_connections = !options.no_connection_reuse.value_or(false);
    http.tls_min = options.tls_min.value_or("");
    http.tls_max = options.tls_max.value_or("");
    http.dns_policy = options.dns.value_or("preferIPv4");
    http.hosts = options.hosts;
    http.blacklist_ips = options.blacklist_ips.value_or(std::vector<std::string>{});
    http.block_hostnames = options.block_hostnames.value_or(std::vector<std::string>{});
    http.certificates = options.tls_auth.value_or(std::vector<ClientCertificate>{});
    auto made = HttpShared::make(std::move(http));
    if (!made)
      return say(exit_code::kInvalidConfiguration, fmt::format("{}: {}", settings_.script, made.error().message));
    http_ = std::move(*made);
    shared_.http = http_.get();
    if (!settings_.html.empty()) shared_.endpoints = std::make_unique<Endpoints>();
    return std::nullopt;
  }

  void catch_signals() {
    stop_on_signal = &shared_.stop;
    struct sigaction action {};
    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  void show_plan() {
    Nanoseconds longest{};
    for (const auto& scenario : shared_.scenarios) longest = std::max(longest, scenario.end());
    std::string text = fmt::format(
        "\n     script: {}\n  scenarios: {} with at most {} users, at most {} (with graceful stop)\n", settings_.script,
        shared_.scenarios.size(), users_needed(shared_.scenarios, true), duration_text(longest));
    for (const auto& s : shared_.scenarios) {
      std::string how;
      switch (s.executor) {
        case Executor::kSharedIterations:
          how = fmt::format("{} iterations shared among {} users", s.iterations, s.vus);
          break;
        case Executor::kPerVuIterations:
          how = fmt::format("{} iterations for each of {} users", s.iterations, s.vus);
          break;
        case Executor::kConstantVus:
          how = fmt::format("{} looping users for {}", s.vus, duration_text(s.duration));
          break;
        case Executor::kRampingVus:
          how = fmt::format("up to {} looping users for {} over {} stages", s.users_at_most(),
                            duration_text(s.regular_duration()), s.stages.size());
          break;
        case Executor::kConstantArrivalRate:
          how = fmt::format("{} iterations per {} for {} (users: {}-{})", s.rate, duration_text(s.time_unit),
                            duration_text(s.duration), s.pre_allocated_vus, s.max_vus);
          break;
        case Executor::kRampingArrivalRate:
          how = fmt::format("iterations at a ramping rate for {} over {} stages (users: {}-{})",
                            duration_text(s.regular_duration()), s.stages.size(), s.pre_allocated_vus, s.max_vus);
          break;
      }
      text += fmt::format("           * {}: {} (exec: {}, gracefulStop: {})\n", s.name, how, s.exec,
                          duration_text(s.graceful_stop));
    }
    std::fputs((text + "\n").c_str(), stderr);
  }

  std::optional<int> set_up() {
    if (shared_.options.no_setup.value_or(false) || !main_->exports("setup")) return std::nullopt;
    const auto timeout = shared_.options.setup_timeout.value_or(std::chrono::seconds{60});
    auto data = main_->call("setup", {}, Steady::now() + timeout);
    if (data) {
      shared_.setup_data = std::move(*data);
      return std::nullopt;
    }
    if (shared_.aborted_by_script) return exit_code::kScriptAborted;
    if (signals > 0) return exit_code::kExternalAbort;
    if (data.error().ended) {
      return say(exit_code::kSetupTimeout,
                 fmt::format("setup() was not done after {}: make it faster, or options.setupTimeout larger",
                             duration_text(timeout)));
    }
    return say(exit_code::kScriptException, fmt::format("setup(): {}", data.error().text()));
  }

  // 0, or the exit code of what went wrong.
  int tear_down() {
    if (shared_.options.no_teardown.value_or(false) || !main_->exports("teardown")) return 0;
    const auto timeout = shared_.options.teardown_timeout.value_or(std::chrono::seconds{60});
    main_->interruption().ignore_stop(true);
    auto done = main_->call("teardown", {shared_.setup_data}, Steady::now() + timeout);
    if (done) return 0;
    if (done.error().ended) {
      return say(exit_code::kTeardownTimeout,
                 fmt::format("teardown() was not done after {}: make it faster, or options.teardownTimeout larger",
                             duration_text(timeout)));
    }
    return say(exit_code::kScriptException, fmt::format("teardown(): {}", done.error().text()));
  }

  void run_scenarios(Crew& crew) {
    shared_.start = Steady::now();
    const std::int64_t wall_ms = base::system_clock().now().time_since_epoch().count() / 1000;
    std::deque<ScenarioRun> runs;
    std::vector<std::thread> controllers;
    std::atomic<std::size_t> ended{0};
    for (const auto& scenario : shared_.scenarios) {
      ScenarioRun& run = runs.emplace_back();
      run.scenario = &scenario;
      run.start = shared_.start + scenario.start_time;
      run.start_ms = wall_ms + scenario.start_time.count() / 1'000'000;
      run.tags = {{"scenario", scenario.name}};
      for (const auto& [name, value] : scenario.tags) run.tags.emplace_back(name, value);
      for (const auto& tag : shared_.run_tags) run.tags.push_back(tag);
      controllers.emplace_back([&run, &crew, &ended, this] {
        k6::carry_out(run, shared_, crew, collector_.make_recorder());
        ++ended;
      });
    }
    watch(runs, ended);
    for (auto& controller : controllers) controller.join();
    if (!settings_.quiet) console_.progress("");
  }

  // Until all scenarios have ended: levels, thresholds that abort, progress.
  void watch(const std::deque<ScenarioRun>& runs, const std::atomic<std::size_t>& ended) {
    auto next_turn = Steady::now() + std::chrono::milliseconds{100};  // users have begun
    auto next_judgement = next_turn + kThresholdsEvery;
    while (ended < runs.size()) {
      const auto now = Steady::now();
      if (now >= next_turn) {
        next_turn += kTurn;
        SampleTags none;
        metrics_.add(recorder_, Metrics::kVus, static_cast<double>(shared_.users_active.load()), none);
        metrics_.add(recorder_, Metrics::kVusMax, static_cast<double>(shared_.users_initialised.load()), none);
        collector_.collect();
        if (!settings_.quiet && isatty(2) == 1) console_.progress(progress_line(runs));
      }
      if (now >= next_judgement) {
        next_judgement += kThresholdsEvery;
        abort_on_thresholds();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }

  void abort_on_thresholds() {
    if (aborted_by_threshold_ || settings_.no_thresholds || !shared_.options.thresholds) return;
    const Nanoseconds elapsed = Steady::now() - shared_.start;
    for (const auto& verdict : judge(metrics_, collector_.measured().values, elapsed)) {
      if (verdict.ok || !verdict.abort_on_fail || elapsed < verdict.delay_abort) continue;
      aborted_by_threshold_ = true;
      console_.say(Console::kError,
                   fmt::format("the threshold '{}' of {} was crossed, and has abortOnFail: the test ends",
                               verdict.source, verdict.metric));
      shared_.stop.stop();
      return;
    }
  }

  std::string progress_line(const std::deque<ScenarioRun>& runs) const {
    const double elapsed = std::chrono::duration<double>(Steady::now() - shared_.start).count();
    Nanoseconds longest{};
    for (const auto& run : runs)
      longest = std::max(longest, run.scenario->start_time + run.scenario->regular_duration());
    const double whole = seconds_of(longest);
    const int percent = whole > 0 ? static_cast<int>(std::min(100.0, 100 * elapsed / whole)) : 100;
    return fmt::format(
        "running ({:d}m{:04.1f}s), {}/{} users, {} complete and {} interrupted iterations, {} dropped  {}%",
        static_cast<int>(elapsed) / 60, elapsed - 60.0 * (static_cast<int>(elapsed) / 60), shared_.users_active.load(),
        shared_.users_initialised.load(), shared_.iterations_completed.load(), shared_.iterations_interrupted.load(),
        shared_.iterations_dropped.load(), percent);
  }

  int conclude(int torn_down) {
    const auto measured = collector_.measured();
    hops_ = ask_for_hops(settings_.platform_socket, measured.duration, measured.total("http_reqs"));
    const int code = judge_run(torn_down, measured.values);
    if (!settings_.html.empty()) write_page(code, measured);
    return code;
  }

  void write_page(int code, const load::Measured& measured) {
    PageFacts facts;
    facts.script = settings_.script == "-" ? "script" : std::filesystem::path(settings_.script).filename().native();
    facts.started = base::system_clock().now() - std::chrono::duration_cast<base::TimePoint::duration>(elapsed_);
    facts.elapsed = elapsed_;
    facts.exit_code = code;
    facts.hops = hops_;
    if (shared_.endpoints) facts.endpoints = shared_.endpoints->totals();
    const auto page = load::html_report(view_of(facts, metrics_, shared_.groups, measured));
    if (auto written = base::replace_file(settings_.html, page); !written) {
      console_.say(Console::kError, fmt::format("--html: {}", written.error().message));
    }
  }

  int judge_run(int torn_down, const load::Values& values) {
    const Validity validity = validity_of(metrics_, values);
    const base::Json data = summary_data(shared_, values, elapsed_);
    const int summarised = settings_.summary_mode == "disabled" ? 0 : summarise(data);
    if (!settings_.summary_export.empty()) export_summary(data, validity);
    if (!settings_.quiet) console_.say(Console::kInfo, validity.text);

    std::vector<std::string> crossed;
    if (!settings_.no_thresholds) {
      for (const auto& verdict : judge(metrics_, values, elapsed_)) {
        if (!verdict.ok) crossed.push_back(verdict.metric);
      }
      crossed.erase(std::unique(crossed.begin(), crossed.end()), crossed.end());
    }
    if (shared_.aborted_by_script) return exit_code::kScriptAborted;
    if (signals > 0) return say(exit_code::kExternalAbort, "the test was ended by a signal");
    if (torn_down != 0) return torn_down;
    if (shared_.marked_failed) return exit_code::kMarkedAsFailed;
    if (!validity.valid) return say(exit_code::kInvalidRun, fmt::format("the run is not valid: {}", validity.text));
    if (!crossed.empty()) {
      std::string names;
      for (const auto& name : crossed) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
      return say(exit_code::kThresholds, fmt::format("thresholds on metrics '{}' have been crossed", names));
    }
    return summarised;
  }

  int summarise(const base::Json& data) {
    main_->interruption().ignore_stop(true);
    const std::string text = data.dump();
    int code = 0;
    if (main_->exports("handleSummary")) {
      auto made = main_->call("handleSummary", {text}, Steady::now() + std::chrono::minutes{2});
      if (made && !made->empty()) {
        auto outputs = base::Json::parse(*made);
        if (outputs && outputs->is_object()) return write_outputs(*outputs);
      }
      if (!made)
        code = say(exit_code::kScriptException,
                   fmt::format("handleSummary(): {}; the usual summary follows", made.error().text()));
    }
    const base::Json options = base::Json::object(
        {{"indent", " "}, {"enableColors", settings_.colours && isatty(1) == 1}, {"mode", settings_.summary_mode}});
    auto summary = main_->text_summary(text, options.dump());
    if (!summary)
      return say(exit_code::kScriptException, fmt::format("the summary cannot be made: {}", summary.error().text()));
    std::cout << *summary << std::endl << hops_text(hops_) << std::flush;
    return code;
  }

  int write_outputs(const base::Json& outputs) {
    int code = 0;
    for (const auto& [target, content] : *outputs.as_object()) {
      const std::string text = content.is_string() ? *content.as_string() : content.dump(2);
      if (target == "stdout") {
        std::cout << text << std::flush;
      } else if (target == "stderr") {
        std::cerr << text << std::flush;
      } else if (auto written = base::replace_file(target, text); !written) {
        code = say(exit_code::kOther, fmt::format("handleSummary(): {}", written.error().message));
      }
    }
    return code;
  }

  // The old form of --summary-export: a metric's values stand in the metric itself; plus what was found of the
  // generator.
  void export_summary(const base::Json& data, const Validity& validity) {
    base::Json metrics = base::Json::object();
    for (const auto& [name, metric] : *data["metrics"].as_object()) {
      base::Json one = metric["values"];
      if (const auto* thresholds = metric.find("thresholds")) {
        base::Json crossed = base::Json::object();
        for (const auto& [source, verdict] : *thresholds->as_object())
          crossed.set(source, !verdict["ok"].bool_or(true));
        one.set("thresholds", std::move(crossed));
      }
      metrics.set(name, std::move(one));
    }
    base::Json all =
        base::Json::object({{"metrics", std::move(metrics)},
                            {"root_group", data["root_group"]},
                            {"generator", base::Json::object({{"valid", validity.valid},
                                                              {"lateness_p99_ms", validity.lateness_p99_ms},
                                                              {"samples", static_cast<std::int64_t>(validity.samples)},
                                                              {"text", validity.text}})}});
    if (!hops_.is_null()) all.set("hops", hops_);
    if (auto written = base::replace_file(settings_.summary_export, all.dump(2) + "\n"); !written) {
      console_.say(Console::kError, fmt::format("--summary-export: {}", written.error().message));
    }
  }

  const RunSettings& settings_;
  Console console_;
  load::Collector collector_;
  Modules modules_;
  Metrics metrics_;
  Shared shared_;
  load::Recorder& recorder_;
  std::unique_ptr<HttpShared> http_;
  std::unique_ptr<User> main_;
  Nanoseconds elapsed_{};
  base::Json hops_;  // of the platform, when it is what was asked
  bool aborted_by_threshold_ = false;
};

}  // namespace

int run_script(const RunSettings& settings) {
  Run run(settings);
  if (const auto failed = run.prepare()) return *failed;
  return run.carry_out();
}

int inspect_script(const RunSettings& settings) {
  Run run(settings);
  if (const auto failed = run.prepare()) return *failed;
  return run.inspect();
}

}  // namespace securebase::k6
