#include "k6/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <thread>

#include "k6/conclusion.h"
#include "k6/crew.h"
#include "k6/executors.h"
#include "k6/gathered_options.h"
#include "k6/plan.h"
#include "k6/summary.h"
#include "k6/user_schedule.h"

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
    if (auto logging = console_.log_to(settings_.log_output, settings_.log_format); !logging) {
      return say(exit_code::kInvalidConfiguration, logging.error().message);
    }
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
    if (!settings_.quiet) std::fputs(plan_text(settings_.script, shared_.scenarios).c_str(), stderr);
    Crew crew(shared_, collector_);
    if (auto hired = crew.hire(users_needed(shared_.scenarios, false)); !hired) {
      return shared_.aborted_by_script ? exit_code::kScriptAborted : exit_code::kScriptException;
    }
    main_->begin_requests();
    collector_.start();
    shared_.start = Steady::now();
    if (auto failed = set_up()) return *failed;
    run_scenarios(crew);
    const Nanoseconds elapsed = Steady::now() - shared_.start;
    const auto torn_down = tear_down();
    collector_.finish();
    return conclude(settings_, shared_, *main_, {elapsed, torn_down, signals > 0, collector_.measured()});
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
    auto exported = main_->options_text();
    if (!exported) return say(exit_code::kScriptException, exported.error().text());
    auto gathered = gather_options(settings_, *exported, console_);
    if (!gathered) return say(exit_code::kInvalidConfiguration, gathered.error().message);
    Options options = std::move(*gathered);

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
    if (options.system_tags) shared_.system_tags = SystemTags(*options.system_tags);
    for (const auto& output : settings_.outputs) {
      if (auto opened = metrics_.write_to(output, shared_.system_tags); !opened)
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
    http.keep_connections = !options.no_connection_reuse.value_or(false);
    http.tls.insecure_skip_verify = options.insecure_skip_tls_verify.value_or(false);
    http.tls.min = options.tls_min.value_or("");
    http.tls.max = options.tls_max.value_or("");
    http.tls.cipher_suites = options.tls_cipher_suites.value_or(std::vector<std::string>{});
    http.tls.certificates = options.tls_auth.value_or(std::vector<ClientCertificate>{});
    http.dns_policy = options.dns.value_or(http.dns_policy);
    http.dns_select = options.dns_select.value_or(http.dns_select);
    http.dns_ttl = options.dns_ttl.value_or(http.dns_ttl);
    auto local_addresses = LocalAddresses::from(settings_.local_ips);
    if (!local_addresses) return say(exit_code::kInvalidConfiguration, local_addresses.error().message);
    http.local_addresses = std::move(*local_addresses);
    http.hosts = options.hosts;
    http.blacklist_ips = options.blacklist_ips.value_or(std::vector<std::string>{});
    http.block_hostnames = options.block_hostnames.value_or(std::vector<std::string>{});
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
        if (!settings_.quiet && isatty(2) == 1) console_.progress(progress_text(shared_, runs));
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

  const RunSettings& settings_;
  Console console_;
  load::Collector collector_;
  Modules modules_;
  Metrics metrics_;
  Shared shared_;
  load::Recorder& recorder_;
  std::unique_ptr<HttpShared> http_;
  std::unique_ptr<User> main_;
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
