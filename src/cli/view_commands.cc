// The commands that show what was measured: targets, traces, uptime, rum.
#include <fmt/format.h>

#include <memory>
#include <thread>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

struct TargetsOptions {
  std::filesystem::path state;
  std::chrono::seconds window{3600};
  bool json = false;
  bool watch = false;  // again each two seconds, until interrupted
};

struct TracesOptions {
  std::filesystem::path state;
  std::string what = "list";  // list, show, routes, slow
  std::string id;
  std::vector<std::string> route;  // its words: GET /v1/customers/{id}
  std::string filter;
  std::chrono::seconds window{3600};
  std::int64_t most = 20;
  bool json = false;
};

struct UptimeOptions {
  std::filesystem::path state;
  std::chrono::seconds window{30 * 86'400};
  double objective = 99.95;  // percent
  bool json = false;
};

struct RumOptions {
  std::filesystem::path state;
  std::size_t most = 20;
  bool slowest = false;
  bool json = false;
};

int targets(const TargetsOptions& options) {
  const auto question = base::Json::object({{"window_seconds", std::int64_t{options.window.count()}}});
  for (;;) {
    auto answer = platform::Control(options.state).ask("/targets", question);
    if (!answer) return fail(answer.error());
    if (options.watch && !options.json && colour_on(1)) fmt::print("\x1b[H\x1b[2J");  // the screen anew
    if (options.json) {
      fmt::print("{}\n", (*answer)["report"].dump(options.watch ? 0 : 2));
    } else {
      fmt::print("{}", (*answer)["text"].string_or(""));
    }
    std::fflush(stdout);
    if (!options.watch) return (*answer)["report"]["pass"].bool_or(false) ? kDone : kFailed;
    std::this_thread::sleep_for(std::chrono::seconds{2});
  }
}

int traces(const TracesOptions& options) {
  std::string route;
  for (const auto& word : options.route) route += (route.empty() ? "" : " ") + word;
  auto answer = platform::Control(options.state)
                    .ask("/traces", base::Json::object({{"what", options.what},
                                                        {"id", options.id},
                                                        {"route", route},
                                                        {"filter", options.filter},
                                                        {"most", options.most},
                                                        {"window_seconds", std::int64_t{options.window.count()}}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return kDone;
}

int uptime(const UptimeOptions& options) {
  auto answer = platform::Control(options.state)
                    .ask("/uptime", base::Json::object({{"window_seconds", std::int64_t{options.window.count()}},
                                                        {"objective", options.objective}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return (*answer)["report"]["pass"].bool_or(false) ? kDone : kFailed;
}

int rum(const RumOptions& options) {
  auto answer =
      platform::Control(options.state)
          .ask("/rum", base::Json::object({{"most", std::uint64_t{options.most}}, {"slowest", options.slowest}}));
  if (!answer) return fail(answer.error());
  if (options.json) {
    fmt::print("{}\n", (*answer)["report"].dump(2));
  } else {
    fmt::print("{}", (*answer)["text"].string_or(""));
  }
  return kDone;
}

CLI::Option* add_window(CLI::App& command, std::chrono::seconds& window, const char* usual) {
  const auto take = [&window](const std::int64_t& seconds) { window = std::chrono::seconds{seconds}; };
  return command.add_option_function<std::int64_t>("--window", take, "What is looked at, up to now: 90s, 15m, 1h, 7d")
      ->transform(durations())
      ->type_name("TIME")
      ->default_str(usual);
}

void add_targets(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<TargetsOptions>();
  auto* command = app.add_subcommand(
      "targets", "The performance targets, measured live: value, samples, verdict, and the command that shows it");
  add_window(*command, options->window, "1h");
  command->add_flag("--json", options->json, "For programs");
  command->add_flag("--watch", options->watch, "Measure again each two seconds");
  add_state_option(*command, state);
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return targets(*options); };
  });
}

void add_traces(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<TracesOptions>();
  auto* command = app.add_subcommand(
      "traces", "The traces that were kept; with an id, one of them whole; where the time of a route went");
  command->add_option("id", options->id, "A trace: 1-5759e988-bd862e3fe1be46a994272793")->type_name("ID");
  command->add_option("--filter", options->filter, "X-Ray's filter expression: 'fault AND duration > 1'");
  command->add_option("--most", options->most, "How many, the last ones")->capture_default_str();
  auto* slow = command->add_subcommand(
      "slow", "Where the p95 went, counted over every request; with a route, how its slow traces differ");
  slow->add_option("route", options->route, "GET /v1/customers/{id}, or function NAME");
  for (auto* one : {command, slow}) {
    add_window(*one, options->window, "1h");
    one->add_flag("--json", options->json, "For programs");
    add_state_option(*one, state);
  }
  command->callback([options, slow, &state, &chosen] {
    options->state = state;
    if (!options->id.empty()) options->what = "show";
    if (slow->parsed()) options->what = options->route.empty() ? "routes" : "slow";
    chosen = [options] { return traces(*options); };
  });
}

void add_uptime(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<UptimeOptions>();
  auto* command =
      app.add_subcommand("uptime", "Availability by canary, what is left of the error budget, and how fast it goes");
  add_window(*command, options->window, "30d");
  command->add_option("--objective", options->objective, "Percent of the time that is up")->capture_default_str();
  command->add_flag("--json", options->json, "For programs");
  add_state_option(*command, state);
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return uptime(*options); };
  });
}

void add_rum(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto options = std::make_shared<RumOptions>();
  auto* command = app.add_subcommand(
      "rum", "Page loads as visitors' browsers saw them: vitals by page, single views with their traces");
  command->add_option("--limit", options->most, "How many single views are shown")->capture_default_str();
  command->add_flag("--slow", options->slowest, "The slowest views rather than the newest");
  command->add_flag("--json", options->json, "For programs");
  add_state_option(*command, state);
  command->callback([options, &state, &chosen] {
    options->state = state;
    chosen = [options] { return rum(*options); };
  });
}

}  // namespace

void add_view_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  add_targets(app, state, chosen);
  add_traces(app, state, chosen);
  add_uptime(app, state, chosen);
  add_rum(app, state, chosen);
}

}  // namespace securebase::cli
