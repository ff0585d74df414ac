// `securebase logs`: what is in the log groups of the running platform.
#include <fmt/format.h>

#include <memory>
#include <thread>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/insights.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

constexpr std::chrono::seconds kLook{1};  // how often `--follow` asks for more

std::string size_text(double bytes) {
  for (const char* unit : {"B", "KB", "MB"}) {
    if (bytes < 1000) return fmt::format("{:.{}f} {}", bytes, unit[0] == 'B' ? 0 : 1, unit);
    bytes /= 1000;
  }
  return fmt::format("{:.1f} GB", bytes);
}

// What functions print must not steer the terminal.
std::string harmless(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == 0x7f) c = ' ';
  }
  return out;
}

void print_events(const base::Json& answer) {
  const auto* events = answer["events"].as_array();
  if (!events) return;
  const bool several = answer["several"].bool_or(false);
  for (const auto& event : *events) {
    if (several) fmt::print("{} ", event["group"].string_or(""));
    fmt::print("{} {} {}\n", event["time"].string_or(""), harmless(event["stream"].string_or("")),
               harmless(event["message"].string_or("")));
  }
  std::fflush(stdout);
}

int log_groups(const std::filesystem::path& state) {
  auto answer = platform::Control(state).ask("/logs/groups");
  if (!answer) return fail(answer.error());
  fmt::print("{:>10}  {:>10}  {:>8}  {:>9}  {}\n", "MESSAGES", "ON DISK", "STREAMS", "RETENTION", "GROUP");
  if (const auto* groups = (*answer)["groups"].as_array()) {
    for (const auto& group : *groups) {
      if (const auto why = group["unopened"].string_or(""); !why.empty()) {
        fmt::print("{:>43}  {}: not opened, {}\n", "-", group["name"].string_or(""), why);
        continue;
      }
      const auto days = group["retention_days"].integer_or(0);
      fmt::print("{:>10}  {:>10}  {:>8}  {:>9}  {}\n", size_text(group["message_bytes"].number_or(0)),
                 size_text(group["disk_bytes"].number_or(0)), group["streams"].integer_or(0),
                 days == 0 ? "for ever" : fmt::format("{} d", days), group["name"].string_or(""));
      if (const auto damaged = group["damaged_blocks"].integer_or(0); damaged > 0) {
        fmt::print("{:>43}  blocks of up to 4096 events that are damaged, and left out of answers: {}\n", "", damaged);
      }
      if (const auto* repaired = group["repaired"].as_array()) {
        for (const auto& what : *repaired) {
          fmt::print("{:>43}  repaired when the platform started: {}\n", "", what.string_or(""));
        }
      }
    }
  }
  return kDone;
}

struct TailOptions {
  std::string group;  // or how the names of some begin
  std::int64_t since_seconds = 600;
  std::string filter;   // a filter pattern
  bool follow = false;  // until interrupted
};

int log_tail(const std::filesystem::path& state, const TailOptions& options) {
  const auto since = base::system_clock().now() - std::chrono::seconds(options.since_seconds);
  auto question = base::Json::object(
      {{"group", options.group},
       {"filter", options.filter},
       {"since_ms", std::int64_t{std::chrono::floor<std::chrono::milliseconds>(since).time_since_epoch().count()}}});
  for (;;) {
    auto answer = platform::Control(state).ask("/logs/tail", question);
    if (!answer) return fail(answer.error());
    print_events(*answer);
    question.set("after", (*answer)["after"]);
    if ((*answer)["more"].bool_or(false)) continue;
    if (!options.follow) return kDone;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

void add_log_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto* all = app.add_subcommand("logs", "What the platform and its functions have logged");
  all->require_subcommand(1);

  auto* groups = all->add_subcommand("groups", "The log groups, and how large they are");
  add_state_option(*groups, state);
  groups->callback([&state, &chosen] { chosen = [&state] { return log_groups(state); }; });

  auto options = std::make_shared<TailOptions>();
  auto* tail = all->add_subcommand("tail", "The newest events of a log group");
  tail->add_option("group", options->group, "The group, or how the names of some begin")
      ->required()
      ->type_name("GROUP");
  tail->add_flag("--follow,-f", options->follow, "And what comes, until interrupted");
  tail->add_option("--since", options->since_seconds, "How far back: 90s, 10m, 2h, 7d")
      ->transform(durations())
      ->default_str("10m");
  tail->add_option("--filter,--filter-pattern", options->filter, "Which events: a filter pattern (docs/logs.md)")
      ->type_name("PATTERN");
  add_state_option(*tail, state);
  tail->callback([=, &state, &chosen] { chosen = [=, &state] { return log_tail(state, *options); }; });

  add_insights_command(*all, state, chosen);
}

}  // namespace securebase::cli
