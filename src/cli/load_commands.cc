// `securebase load`: a target under load, and whether it held.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/load_declared.h"
#include "cli/load_files.h"
#include "cli/load_options.h"
#include "cli/load_runs.h"
#include "cli/load_settings.h"
#include "cli/load_worker.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "load/load.h"

namespace securebase::cli {

namespace {

constexpr const char* kLoadExamples =
    "  securebase load run http://127.0.0.1:8080/api/v1/health --rate 200 --duration 1m --threshold 'p95<100ms'\n"
    "  securebase load run URL --users 50 --threads 2 -H 'Authorization: Bearer ...' --json result.json\n"
    "  securebase load run checkout.js --vus 10    a k6 script, or Artillery's .yml, with that tool's options\n"
    "  securebase load baseline                    10 users for 5 minutes, against the running platform\n"
    "  securebase load capacity URL                from 10 to 1000 users until it breaks, and what broke first\n"
    "  securebase load spike URL                   10 to 500 users in 10 s, and how long until it is itself again\n"
    "  securebase load endurance URL --duration 1h 100 users: does memory, do descriptors, does latency grow?\n"
    "  securebase load list; securebase load checkout              a test that the stack declares, by its name\n"
    "  securebase load run /shop --baseline newest a path of the running platform, beside its newest baseline\n"
    "  securebase load compare A.json B.json       which differences are none of noise\n\n"
    "--rate is an open model: requests are sent when they are due, answered or not, and latency counts from then.\n"
    "--users is a closed one: users wait for answers, so a stall of the target delays what would have come.\n\n"
    "Exit codes: 0 every threshold and check passed, or none was asked for; 3 one failed; 4 the run is invalid, "
    "because\n"
    "the generator was late or was the limit itself; 5 too few samples for a verdict; 1 it could not be run;\n"
    "64 the command line was wrong; 130 interrupted.";

load::StopFlag interrupted = false;

void on_interrupt(int) { interrupted.store(true); }

// The first Ctrl-C ends the run with a report; a second one ends the program.
void listen_for_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

// One line that is written over each second, on a terminal only.
class LiveLine {
 public:
  explicit LiveLine(bool quiet) : on_(!quiet && ::isatty(2) == 1) {}
  void show(const load::Live& live) {
    if (!on_) return;
    fmt::print(stderr, "\r\x1b[K{}", load::as_line(live));
    std::fflush(stderr);
  }
  void clear() {
    if (on_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  const bool on_;
};

// For the platform's gates.
LoadOutcome outcome_of(const LoadOptions& options, const load::RunResult& result) {
  const auto summary = load::summarise(result.measured.values, result.measured.duration);
  LoadOutcome outcome;
  outcome.tool = "securebase load";
  outcome.scenario = result.scenario;
  outcome.name = options.name;
  outcome.target = result.target;
  outcome.verdict = result.verdict();
  for (const auto& judged : result.thresholds) {
    if (judged.verdict == load::Verdict::kFail) outcome.failed_thresholds.push_back(judged.threshold.text());
  }
  for (const auto& check : result.checks) {
    if (check.verdict == load::Verdict::kFail) outcome.failed_thresholds.push_back(check.name + ": " + check.seen);
  }
  outcome.requests = summary.requests;
  outcome.errors_percent = summary.error_percent();
  if (const auto latency = load::latency_of(result.measured.values, result.open)) {
    outcome.p50_ms = latency->sketch.percentile(50).value_or(0);
    outcome.p95_ms = latency->sketch.percentile(95).value_or(0);
    outcome.p99_ms = latency->sketch.percentile(99).value_or(0);
  }
  if (!result.open) {
    outcome.users = options.to_users > 0 ? options.to_users : options.users;
    outcome.seconds = options.duration;
  }
  if (result.scenario == "spike") {
    const auto& recovered = result.findings["recovered_after_seconds"];
    if (recovered.is_number()) outcome.scaling_seconds = recovered.number_or(0);
    outcome.limit_ms = options.limit_ms;
    outcome.rise_seconds = options.rise;
  }
  if (!options.files.json.empty()) outcome.report = std::filesystem::absolute(options.files.json).native();
  return outcome;
}

int report(const LoadOptions& options, load::RunResult result, const LoadRunNote& note) {
  const auto requests = load::summarise(result.measured.values, result.measured.duration).requests;
  result.hops = note.hops_of(result.measured.duration, static_cast<double>(requests));
  // What was measured is shown and told, also when a disk is full by now.
  const auto written = write_files(options.files, result);
  note.tell(outcome_of(options, result));
  if (!options.quiet) fmt::print("{}{}", text_of(result), comparison_text(options.files, result));
  const int code = say_verdict(result);
  return written ? code : fail(written.error());
}

// A wrong URL or threshold is a wrong command line.
int refuse(const Error& error) {
  fail(error);
  return error.code == Errc::kMalformed ? kUsage : kFailed;
}

// kOld: the target's status is a second old, and nobody waits for it: for who looks while a run is measured. kNow: it
// is asked each time.
enum class StatusAge { kNow, kOld };

Result<load::TargetWatch> open_watch(const LoadOptions& options, const std::filesystem::path& state, StatusAge age) {
  load::TargetWatch::AskStatus ask;
  if (options.target_pid == 0) {
    ask = [state] { return platform::Control(state).ask("/status"); };
    if (age == StatusAge::kOld) {
      ask = [latest = std::make_shared<load::LatestStatus>(std::move(ask))] { return latest->get(); };
    }
  }
  auto watch = load::TargetWatch::open(options.target_pid, std::move(ask));
  if (!watch && options.target_pid != 0) return watch.error().within("--target-pid");
  return watch;
}

using Act = int (*)(const LoadOptions&, const std::filesystem::path&);

// What is needed before the first request: what the stack says of the test, and the run to compare with.
int prepare_and_act(CLI::App& command, const Options& options, const std::filesystem::path& state, Act act) {
  auto name = take_declared(command, options->url, command.get_name(), state);
  if (!name) return refuse(name.error());
  options->name = std::move(*name);
  if (auto fit = check_options(command); !fit) return refuse(fit.error());
  if (auto found = find_baseline(options->files, state); !found) return refuse(found.error());
  if (auto fit_files = check_files(options->files); !fit_files) return refuse(fit_files.error());
  return act(*options, state);
}

// On the machines that were named, or on this one.
Result<load::CarryOut> read_carry_out(const LoadOptions& options) {
  auto fleet = read_fleet(options.fleet);
  if (!fleet) return fleet.error();
  if (fleet->workers.empty()) return load::CarryOut(load::run);
  return load::CarryOut([fleet = std::move(*fleet)](const load::RunSettings& settings, const load::StopFlag& stop,
                                                    const std::function<void(const load::Live&)>& told) {
    return load::run_on(fleet, settings, stop, told);
  });
}

int run_load(const LoadOptions& options, const std::filesystem::path& state, const char* scenario) {
  auto settings = read_settings(options, state);
  if (!settings) return refuse(settings.error());
  auto carry_out = read_carry_out(options);
  if (!carry_out) return refuse(carry_out.error());
  settings->scenario = scenario;
  const auto duration = from_seconds(options.warm_up + options.duration);
  if (options.rate > 0) {
    load::Phase phase;
    phase.duration = duration;
    phase.rate = options.rate;
    if (options.ramp_to > 0) phase.ramp_to = options.ramp_to;
    settings->phases = {phase};
    // Users come and go with each request; connections stay.
    settings->pool = options.connections;
  } else {
    settings->work.loop = true;
    settings->phases = load::users_for(options.users, duration);
  }
  listen_for_interrupts();
  const LoadRunNote note(state);
  LiveLine line(options.quiet);
  const auto told = [&](const load::Live& live) { line.show(live); };
  auto result = (*carry_out)(*settings, interrupted, told);
  line.clear();
  if (!result) return refuse(result.error());
  return report(options, std::move(*result), note);
}

int run_capacity(const LoadOptions& options, const std::filesystem::path& state) {
  if (!options.fleet.workers.empty()) {
    return refuse(
        Error{Errc::kMalformed,
              "--worker: the search for a capacity runs on one machine, which has to see whether the target or "
              "itself is the limit at each step; give it --threads, or try a load that you chose on several: "
              "`securebase load run URL --users N --worker ...`"});
  }
  load::CapacitySettings settings;
  auto common = read_settings(options, state);
  if (!common) return refuse(common.error());
  settings.run = std::move(*common);
  settings.from_users = options.from_users;
  settings.to_users = options.to_users;
  settings.step = from_seconds(options.step);
  auto watch = open_watch(options, state, StatusAge::kNow);
  if (!watch) return refuse(watch.error());
  listen_for_interrupts();
  const LoadRunNote note(state);
  LiveLine line(options.quiet);
  auto result = load::capacity(
      settings, *watch, interrupted, [&](const load::Live& live) { line.show(live); },
      [&](const load::CapacityStep& step) {
        line.clear();
        if (options.quiet) return;
        fmt::print(stderr, "{} users: {:.1f} answers a second, p95 {}{}{}\n", step.users, step.throughput,
                   load::duration_text(step.p95_ms), step.why.empty() ? "" : ": ", step.why);
      });
  line.clear();
  if (!result) return refuse(result.error());
  return report(options, std::move(*result), note);
}

int run_spike(const LoadOptions& options, const std::filesystem::path& state) {
  load::SpikeSettings settings;
  auto common = read_settings(options, state);
  if (!common) return refuse(common.error());
  settings.run = std::move(*common);
  settings.from_users = options.from_users;
  settings.to_users = options.to_users;
  settings.before = from_seconds(options.before);
  settings.rise = from_seconds(options.rise);
  settings.hold = from_seconds(options.duration);
  settings.limit_ms = options.limit_ms;
  auto carry_out = read_carry_out(options);
  if (!carry_out) return refuse(carry_out.error());
  settings.carry_out = std::move(*carry_out);
  auto watch = open_watch(options, state, StatusAge::kOld);
  if (!watch) return refuse(watch.error());
  listen_for_interrupts();
  const LoadRunNote note(state);
  LiveLine line(options.quiet);
  auto result = load::spike(settings, *watch, interrupted, [&](const load::Live& live) { line.show(live); });
  line.clear();
  if (!result) return refuse(result.error());
  return report(options, std::move(*result), note);
}

int run_endurance(const LoadOptions& options, const std::filesystem::path& state) {
  load::EnduranceSettings settings;
  auto common = read_settings(options, state);
  if (!common) return refuse(common.error());
  settings.run = std::move(*common);
  settings.users = options.users;
  settings.duration = from_seconds(options.duration);
  auto carry_out = read_carry_out(options);
  if (!carry_out) return refuse(carry_out.error());
  settings.carry_out = std::move(*carry_out);
  auto watch = open_watch(options, state, StatusAge::kOld);
  if (!watch) return refuse(watch.error());
  listen_for_interrupts();
  const LoadRunNote note(state);
  LiveLine line(options.quiet);
  auto result = load::endurance(settings, *watch, interrupted, [&](const load::Live& live) { line.show(live); });
  line.clear();
  if (!result) return refuse(result.error());
  return report(options, std::move(*result), note);
}

CLI::App* add_scenario(CLI::App& all, const char* name, const char* about, const Options& options,
                       std::filesystem::path& state, std::function<int()>& chosen, Act act) {
  auto* command = all.add_subcommand(name, about);
  add_common(*command, options, state);
  command->callback(
      [=, &state, &chosen] { chosen = [=, &state] { return prepare_and_act(*command, options, state, act); }; });
  return command;
}

void add_run(CLI::App& all, std::filesystem::path& state, std::function<int()>& chosen) {
  auto options = std::make_shared<LoadOptions>();
  auto* command = add_scenario(
      all, "run", "Requests at a rate, or users who ask again and again", options, state, chosen,
      [](const LoadOptions& given, const std::filesystem::path& where) { return run_load(given, where, "run"); });
  command->add_option("--rate,-r", options->rate, "Requests a second, whether answers come or not")
      ->check(CLI::Range(0.001, 1e6));
  command->add_option("--ramp-to", options->ramp_to, "The rate at the end, in steps of a second")
      ->check(CLI::Range(0.001, 1e6));
  command->add_option("--users,-u", options->users, "Users who wait for their answers")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  add_duration(*command, "--duration", options->duration, "How long is measured", "30s");
  add_duration(*command, "--warm-up", options->warm_up, "Before that, not measured", "0s", kAnyTime);
  command
      ->add_option("--connections", options->connections,
                   "With --rate: at most so many to a thread; 0: as many as are needed")
      ->capture_default_str();
  add_fleet_options(*command, options->fleet);
}

void add_baseline(CLI::App& all, std::filesystem::path& state, std::function<int()>& chosen) {
  auto options = std::make_shared<LoadOptions>();
  options->duration = 300;
  options->warm_up = 5;
  auto* command = add_scenario(
      all, "baseline", "10 users for 5 minutes: what to compare with later", options, state, chosen,
      [](const LoadOptions& given, const std::filesystem::path& where) { return run_load(given, where, "baseline"); });
  command->add_option("--users,-u", options->users, "Users who wait for their answers")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  add_duration(*command, "--duration", options->duration, "How long is measured", "5m");
  add_duration(*command, "--warm-up", options->warm_up, "Before that, not measured", "5s", kAnyTime);
  add_fleet_options(*command, options->fleet);
}

void add_capacity(CLI::App& all, std::filesystem::path& state, std::function<int()>& chosen) {
  auto options = std::make_shared<LoadOptions>();
  options->to_users = 1000;
  auto* command = add_scenario(all, "capacity", "From 10 to 1000 users until it breaks: where, and what broke first",
                               options, state, chosen, run_capacity);
  command->add_option("--from", options->from_users, "Users of the first step")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  command->add_option("--to", options->to_users, "Users at most")->check(CLI::Range(1, 200'000))->capture_default_str();
  add_duration(*command, "--step", options->step, "How long a step is measured, after 2 s", "10s");
  add_target_pid(*command, options);
  // Taken to be refused with the reason.
  command->add_option("--worker", options->fleet.workers)->group("");
  command->add_option("--token-file", options->fleet.token_file)->group("");
}

void add_spike(CLI::App& all, std::filesystem::path& state, std::function<int()>& chosen) {
  auto options = std::make_shared<LoadOptions>();
  options->to_users = 500;
  options->duration = 120;
  options->think = 1;
  auto* command =
      add_scenario(all, "spike", "10 to 500 users in 10 s: errors, throttles, and how long until p95 is back", options,
                   state, chosen, run_spike);
  command->add_option("--from", options->from_users, "Users before")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  command->add_option("--to", options->to_users, "Users after")->check(CLI::Range(1, 200'000))->capture_default_str();
  add_duration(*command, "--before", options->before, "How long before", "20s");
  add_duration(*command, "--rise", options->rise, "Within which they come", "10s", kAnyTime);
  add_duration(*command, "--duration", options->duration, "How long they stay", "2m");
  command->add_option("--limit", options->limit_ms, "Milliseconds that p95 has to be back below")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_fleet_options(*command, options->fleet);
  add_target_pid(*command, options);
}

void add_endurance(CLI::App& all, std::filesystem::path& state, std::function<int()>& chosen) {
  auto options = std::make_shared<LoadOptions>();
  options->users = 100;
  options->duration = 86'400;
  options->warm_up = 10;
  options->think = 1;
  auto* command = add_scenario(all, "endurance", "100 users for 24 hours, or any time: does anything grow?", options,
                               state, chosen, run_endurance);
  command->add_option("--users,-u", options->users, "Users who wait for their answers")
      ->check(CLI::Range(1, 200'000))
      ->capture_default_str();
  add_duration(*command, "--duration", options->duration, "How long is measured", "24h");
  add_duration(*command, "--warm-up", options->warm_up, "Before that, not measured", "10s", kAnyTime);
  add_fleet_options(*command, options->fleet);
  add_target_pid(*command, options);
}

}  // namespace

void add_load_commands(CLI::App& app, std::filesystem::path& state, std::function<int()>& chosen) {
  auto* all = app.add_subcommand("load", "Load tests, with numbers that may be believed");
  all->footer(kLoadExamples);
  add_run(*all, state, chosen);
  add_baseline(*all, state, chosen);
  add_capacity(*all, state, chosen);
  add_spike(*all, state, chosen);
  add_endurance(*all, state, chosen);
  add_load_file_commands(*all, state, chosen);
  add_load_worker_command(*all, chosen);
  add_declared_commands(*all, state, chosen);  // last: it takes the words that are no command
}

}  // namespace securebase::cli
