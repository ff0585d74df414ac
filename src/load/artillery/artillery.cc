#include "load/artillery/artillery.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/durable.h"
#include "base/file.h"
#include "base/random.h"
#include "load/artillery/console.h"
#include "load/artillery/flow.h"
#include "load/artillery/period_spool.h"
#include "load/artillery/report_view.h"
#include "load/artillery/run_results.h"
#include "load/artillery/script_reader.h"
#include "load/artillery/signals.h"
#include "load/artillery/user_variables.h"
#include "load/engine/engine.h"
#include "load/report/html.h"

extern char** environ;

namespace securebase::load::artillery {
namespace {

using namespace std::chrono_literals;
using Print = std::function<void(std::string_view)>;

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view setting(*at);
    const auto equals = setting.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      variables.emplace(std::string(setting.substr(0, equals)), std::string(setting.substr(equals + 1)));
    }
  }
  return variables;
}

// "t" and a code that people can tell apart, as Artillery's test run ids.
std::string test_run_id(const std::map<std::string, std::string>& variables) {
  if (const auto given = variables.find("ARTILLERY_TEST_RUN_ID"); given != variables.end()) return given->second;
  constexpr std::string_view kAlphabet = "abcdefghijkmnpqrtwxyz346789";
  return fmt::format("t{}_{}", base::random_text(4, kAlphabet), base::random_text(28, "abcdefghijkmnpqrtwxyz346789"));
}

std::size_t choose_workers(const RunOptions& options, const std::map<std::string, std::string>& variables) {
  if (options.workers > 0) return options.workers;
  if (const auto given = variables.find("WORKERS"); given != variables.end()) {
    const long count = std::strtol(given->second.c_str(), nullptr, 10);
    if (count > 0) return static_cast<std::size_t>(std::min(count, 256L));
  }
  // The target often stands on the same machine: half of it is its own.
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

constexpr int kBrokenProcessor = 11;  // as Artillery's, when a worker cannot load the module

// One run from the script to the exit code.
class Run {
 public:
  Run(RunOptions options, const Print& print, const Print& complain)
      : options_(std::move(options)), print_(print), complain_(complain), console_(options_.colour, options_.columns) {}

  int go();

 private:
  Result<Done> prepare();
  Result<Done> run_once(const Scenario& scenario, std::string_view name, base::Json::Object* variables_left);
  Result<Done> run_users();
  EngineSettings settings_for(std::vector<Phase> phases, std::size_t workers) const;
  void tell_phases(std::chrono::milliseconds elapsed);
  bool clean_up();
  int finish(base::TimePoint started, bool cleaned);
  void write_reports(const RunResults& results);
  std::string_view suppressed() const {
    return script_.config.endpoints.suppress_output ? std::string_view(script_.config.endpoints.prefix)
                                                    : std::string_view();
  }
  void say(std::string_view text) const {
    if (!options_.quiet) print_(text);
  }

  RunOptions options_;
  const Print& print_;
  const Print& complain_;
  Console console_;
  std::map<std::string, std::string> environment_;
  Script script_;
  std::unique_ptr<Processor> processor_;
  int unprepared_ = kFailedRun;  // the exit code when it cannot begin
  std::unique_ptr<RunShared> shared_;
  std::unique_ptr<Collector> collector_;
  PeriodSpool periods_;  // when there is an output
  Generator generator_;
  base::TimePoint started_;
  std::size_t phases_told_ = 0;  // starts and ends
  std::string crash_;
  std::mutex crash_mutex_;
  bool stopped_ = false;
};

Result<Done> Run::prepare() {
  environment_ = environment();
  if (!options_.dotenv.empty()) {
    auto text = base::read_file(options_.dotenv, 1 << 20);
    if (text) {
      read_dotenv(*text, environment_);
    } else {
      print_(fmt::format("WARNING: could not read dotenv file: {}\n", options_.dotenv.native()));
    }
  }
  if (!options_.output.empty()) {
    const auto parent = options_.output.has_parent_path() ? options_.output.parent_path() : std::filesystem::path(".");
    std::error_code failure;
    if (!std::filesystem::is_directory(parent, failure)) {
      return Error{Errc::kNotFound, fmt::format("Path does not exist: {}", options_.output.native())};
    }
    if (auto opened = periods_.open(parent); !opened) return opened.error();
  }
  options_.script.environment_variables = environment_;
  options_.script.test_id = test_run_id(environment_);
  print_(fmt::format("Test run id: {}\n", options_.script.test_id));
  auto script =
      options_.text.empty() ? read_script(options_.script) : read_script(options_.text, "quick", options_.script);
  if (!script) return script.error();
  script_ = std::move(*script);
  for (const auto& warning : script_.warnings) complain_(fmt::format("WARNING: {}\n", warning));
  if (!script_.config.processor.empty() && script_.needs_processor()) {
    base::Json::Object shared;
    const auto variables = variables_for_users(script_, {});
    for (const auto& [name, value] : variables->values) {
      if (name != "$env" && name != "$processEnvironment") shared.emplace_back(name, value);
    }
    const auto path = environment_.find("PATH");
    auto started = Processor::start(script_.config.processor, std::move(shared),
                                    path == environment_.end() ? "" : path->second, environment_);
    if (!started) {
      unprepared_ = kBrokenProcessor;
      return started.error();
    }
    processor_ = std::move(*started);
  }
  return Done{};
}

EngineSettings Run::settings_for(std::vector<Phase> phases, std::size_t workers) const {
  EngineSettings settings;
  settings.phases = std::move(phases);
  settings.workers = workers;
  settings.pool = script_.config.pool;
  settings.limits.first_byte = script_.config.timeout;
  settings.limits.connect = script_.config.timeout;
  settings.limits.whole = std::max<std::chrono::milliseconds>(2min, 2 * script_.config.timeout);
  settings.tls.verify = script_.config.verify_certificates;
  // As Node has it, for authorities of one's own.
  if (const auto file = environment_.find("NODE_EXTRA_CA_CERTS"); file != environment_.end()) {
    if (auto pem = base::read_file(file->second, 16 << 20)) settings.tls.authorities_pem = std::move(*pem);
  }
  return settings;
}

// `before` and `after`: one user, whose measurements are not the run's.
Result<Done> Run::run_once(const Scenario& scenario, std::string_view name, base::Json::Object* variables_left) {
  const std::vector<Scenario> only = {scenario};
  Collector aside(base::system_clock());
  RunShared shared{script_,
                   aside,
                   shared_->variables,
                   processor_.get(),
                   shared_->print,
                   shared_->crashed,
                   shared_->colour,
                   std::vector<std::atomic<std::uint64_t>>(script_.config.payloads.size())};
  Result<Done> outcome = Done{};
  Phase once;
  once.kind = Phase::Kind::kCount;
  once.duration = 1ms;
  once.count = 1;
  auto engine =
      Engine::make(settings_for({once}, 1), aside, [&](WorkerContext& worker, std::size_t) -> std::unique_ptr<Flow> {
        auto flow = std::make_unique<ScriptFlow>(shared, worker, only);
        flow->on_end = [&](const Result<Done>& ended, const Variables& variables) {
          outcome = ended;
          if (variables_left != nullptr) *variables_left = variables.own();
        };
        return flow;
      });
  if (!engine) return engine.error();
  SignalWatch::watch(engine->get());
  (*engine)->run([](const Engine::Progress&) {});
  SignalWatch::watch(nullptr);
  if (shared.expectation_failed.load()) shared_->expectation_failed.store(true);
  if (!outcome) return outcome.error().within(fmt::format("running the script's {}", name));
  return outcome;
}

void Run::tell_phases(std::chrono::milliseconds elapsed) {
  std::chrono::nanoseconds at{};
  std::size_t told = 0;
  const auto& phases = script_.config.phases;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    for (const bool start : {true, false}) {
      const auto due = start ? at : at + phases[i].duration;
      if (due > elapsed) return;
      if (++told > phases_told_) {
        phases_told_ = told;
        say(console_.phase_text(phases[i], i, start, base::system_clock().now()));
      }
    }
    at += phases[i].duration;
  }
}

Result<Done> Run::run_users() {
  auto engine = Engine::make(settings_for(script_.config.phases, choose_workers(options_, environment_)), *collector_,
                             [this](WorkerContext& worker, std::size_t) -> std::unique_ptr<Flow> {
                               return std::make_unique<ScriptFlow>(*shared_, worker, script_.scenarios);
                             });
  if (!engine) return engine.error().within("reading config.phases");
  SignalWatch::watch(engine->get());
  tell_phases(0ms);
  generator_ = (*engine)->run([this](const Engine::Progress& progress) {
    tell_phases(progress.elapsed);
    if (!processor_) return;
    if (const auto ended = processor_->ended()) {
      const std::lock_guard lock(crash_mutex_);
      if (crash_.empty()) crash_ = *ended;
      SignalWatch::stop_engine();
    }
  });
  stopped_ = (*engine)->was_stopped();
  SignalWatch::watch(nullptr);
  return Done{};
}

int Run::go() {
  const SignalWatch signals;
  if (auto ready = prepare(); !ready) {
    complain_(fmt::format("Error: {}\n", ready.error().message));
    return unprepared_;
  }
  collector_ = std::make_unique<Collector>(base::system_clock(), 10s);
  shared_.reset(new RunShared{script_, *collector_, variables_for_users(script_, {}), processor_.get(), print_,
                              [this] {
                                {
                                  const std::lock_guard lock(crash_mutex_);
                                  if (crash_.empty()) crash_ = "closed its connection";
                                }
                                SignalWatch::stop_engine();
                              },
                              options_.colour,
                              std::vector<std::atomic<std::uint64_t>>(script_.config.payloads.size())});
  if (script_.before) {
    base::Json::Object left;
    auto ran = run_once(*script_.before, "before", &left);
    if (!ran) {
      complain_(fmt::format("Error: {}\n", ran.error().message));
      return kFailedRun;
    }
    shared_->variables = variables_for_users(script_, left);
  }
  collector_->on_period([this](const Slice& slice) {
    const auto period = make_period(slice.values, started_, slice.begin, slice.end);
    if (period.counters.empty() && period.summaries.empty()) return;
    if (!options_.output.empty()) periods_.add(to_json(period, PeriodPlace::kIntermediate).dump());
    say(console_.period_text(period, suppressed()));
  });
  started_ = base::system_clock().now();
  if (auto ran = run_users(); !ran) {
    complain_(fmt::format("Error: {}\n", ran.error().message));
    return kFailedRun;
  }
  collector_->finish();
  tell_phases(std::chrono::duration_cast<std::chrono::milliseconds>(base::system_clock().now() - started_));
  const bool cleaned = clean_up();
  const int code = finish(started_, cleaned);
  return code == kRan && !cleaned ? kFailedRun : code;
}

// The script's `after`; false: it failed, and that was said.
bool Run::clean_up() {
  if (!script_.after || !crash_.empty() || SignalWatch::came() != 0) return true;
  auto ran = run_once(*script_.after, "after", nullptr);
  if (!ran) complain_(fmt::format("Error: {}\n", ran.error().message));
  return ran.has_value();
}

int Run::finish(base::TimePoint started, bool cleaned) {
  const auto measured = collector_->measured();
  const auto aggregate = make_period(measured.values, started, 0ms, measured.duration);
  const auto now = base::system_clock().now();
  say(console_.summary_text(aggregate, now, std::chrono::duration_cast<std::chrono::seconds>(now - started),
                            suppressed()));
  const auto apdex = script_.config.apdex_threshold_ms ? apdex_of(aggregate) : std::nullopt;
  if (apdex) print_(fmt::format("\nApdex score: {} ({})\n", apdex->score, apdex->ranking));
  const bool ensure = !script_.config.ensure.empty() && !environment_.contains("ARTILLERY_DISABLE_ENSURE");
  const auto checks =
      ensure ? check_ensure(script_.config.ensure, aggregate, apdex ? std::optional(apdex->score) : std::nullopt)
             : std::vector<Checked>{};
  print_(console_.checks_text(checks));
  const auto doubts = why_invalid(generator_, tightest_limit_ms(script_.config.ensure));
  for (const auto& doubt : doubts) complain_(fmt::format("WARNING: this run measured the load generator: {}\n", doubt));
  const RunResults results{script_, measured, aggregate, checks, generator_, started};
  write_reports(results);
  if (options_.ended) {
    const bool valid = doubts.empty() && crash_.empty() && SignalWatch::came() == 0;
    auto outcome = outcome_of(results, valid, shared_->expectation_failed.load());
    if (!cleaned) {
      outcome.failed_checks.push_back("after");
      outcome.passed = false;
    }
    options_.ended(outcome);
  }
  if (!crash_.empty()) {
    // Its connection ends a moment before it does.
    std::optional<std::string> ended;
    for (int i = 0; processor_ && !ended && i < 100; ++i) {
      ended = processor_->ended();
      if (!ended) std::this_thread::sleep_for(10ms);
    }
    complain_(fmt::format("Error: the processor {} has crashed: node {}; the run was ended\n",
                          script_.config.processor.native(), ended.value_or(crash_)));
    return kFailedRun;
  }
  if (const int number = SignalWatch::came(); number != 0) return 128 + number;
  if (shared_->expectation_failed.load()) return kFailedExpectations;  // whatever `ensure` says
  const bool missed =
      std::any_of(checks.begin(), checks.end(), [](const Checked& one) { return !one.ok && one.strict; });
  return missed ? kFailedRun : kRan;
}

void Run::write_reports(const RunResults& results) {
  if (options_.output.empty() && options_.html.empty()) return;
  const auto json = report_of(results, options_.ask_hops);
  const auto complain = [&](const Result<Done>& written) {
    if (!written) complain_(fmt::format("Error: {}\n", written.error().message));
    return written.has_value();
  };
  if (!options_.output.empty()) {
    const auto [written, periods] = write_report(options_.output, json, periods_);
    complain(periods);
    if (complain(written)) say(fmt::format("Log file: {}\n", options_.output.native()));
  }
  if (options_.html.empty()) return;
  const auto view = view_of_artillery_report(json);
  if (!view) {
    complain_(fmt::format("Error: {}\n", view.error().message));
  } else if (complain(base::replace_file(options_.html, html_report(*view)))) {
    say(fmt::format("Report: {}\n", options_.html.native()));
  }
}

}  // namespace

int run(RunOptions options, const Print& print, const Print& complain) {
  // Whole pieces of text: the workers print, too.
  std::mutex mutex;
  const Print print_in_turn = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    if (!text.empty()) print(text);
  };
  const Print complain_in_turn = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    complain(text);
  };
  return Run(std::move(options), print_in_turn, complain_in_turn).go();
}

Result<Done> write_html(const std::filesystem::path& report, const std::filesystem::path& html) {
  auto text = base::read_file(report);
  if (!text) return text.error();
  auto json = base::Json::parse(*text);
  if (!json) return json.error().within(fmt::format("reading {}", report.native()));
  auto view = view_of_artillery_report(*json);
  if (!view) return view.error().within(fmt::format("reading {}", report.native()));
  return base::replace_file(html, html_report(*view));
}

std::string quick_script(const std::string& url, std::uint64_t count, std::uint64_t num, bool insecure) {
  const auto scheme = url.find("://");
  const auto end = scheme == std::string::npos ? std::string::npos : url.find_first_of("/?#", scheme + 3);
  auto step = base::Json::object({{"get", base::Json::object({{"url", url}})}});
  if (num > 1) step = base::Json::object({{"loop", base::Json::array({step})}, {"count", num}});
  auto config = base::Json::object(
      {{"target", url.substr(0, end)},
       {"phases", base::Json::array({base::Json::object({{"duration", 1}, {"arrivalCount", count}})})}});
  if (insecure) config.set("tls", base::Json::object({{"rejectUnauthorized", false}}));
  auto scenario = base::Json::object({{"flow", base::Json::array({step})}});
  return base::Json::object({{"config", config}, {"scenarios", base::Json::array({scenario})}}).dump(2);
}

}  // namespace securebase::load::artillery
