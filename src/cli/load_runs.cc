#include "cli/load_runs.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

std::int64_t milliseconds_of(base::TimePoint time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

}  // namespace

std::string verdict_word(bool valid, const std::optional<bool>& passed) {
  if (!valid) return "invalid";
  return !passed ? "none" : *passed ? "pass" : "fail";
}

LoadRunNote::LoadRunNote(std::filesystem::path state) : state_(std::move(state)), began_(base::system_clock().now()) {
  auto answer = platform::Control(state_).ask("/load/runs", Json::object({{"what", "configuration"}}));
  if (answer) configuration_ = (*answer)["configuration"].string_or("");
}

Json LoadRunNote::hops_of(std::chrono::milliseconds duration, double requests) const {
  if (configuration_.empty() || requests <= 0) return {};
  const auto window = std::chrono::ceil<std::chrono::seconds>(duration).count() + 2;
  auto answer = platform::Control(state_).ask(
      "/traces", Json::object({{"what", "routes"}, {"window_seconds", std::int64_t{window}}}));
  if (!answer || !(*answer)["report"].is_array()) return {};
  double seen = 0;
  for (const auto& route : *(*answer)["report"].as_array()) seen += route["requests"].number_or(0);
  return seen >= 0.9 * requests ? (*answer)["report"] : Json();
}

void LoadRunNote::tell(const LoadOutcome& outcome) const {
  if (configuration_.empty()) return;
  auto failed = Json::array();
  for (const auto& one : outcome.failed_thresholds) failed.push_back(one);
  auto run = Json::object({{"began_ms", milliseconds_of(began_)},
                           {"ended_ms", milliseconds_of(base::system_clock().now())},
                           {"tool", outcome.tool},
                           {"scenario", outcome.scenario},
                           {"name", outcome.name},
                           {"target", outcome.target},
                           {"configuration", configuration_},
                           {"verdict", outcome.verdict},
                           {"failed_thresholds", std::move(failed)},
                           {"requests", outcome.requests},
                           {"errors_percent", outcome.errors_percent},
                           {"p50_ms", outcome.p50_ms},
                           {"p95_ms", outcome.p95_ms},
                           {"p99_ms", outcome.p99_ms},
                           {"users", outcome.users},
                           {"seconds", outcome.seconds},
                           {"limit_ms", outcome.limit_ms},
                           {"rise_seconds", outcome.rise_seconds},
                           {"report", outcome.report}});
  if (outcome.scaling_seconds) run.set("scaling_seconds", *outcome.scaling_seconds);
  auto told = platform::Control(state_).ask("/load/runs", Json::object({{"what", "add"}, {"run", std::move(run)}}));
  if (!told) fmt::print(stderr, "the platform did not take the run for its gates: {}\n", told.error().message);
}

int load_runs(const std::filesystem::path& state, std::size_t most, bool as_json) {
  auto answer = platform::Control(state).ask("/load/runs", Json::object({{"what", "list"}}));
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
    return kDone;
  }
  const auto in_force = text_of(*answer, "configuration");
  Table table({"ENDED", "TOOL", "SCENARIO", "CONFIGURATION", "VERDICT", "REQUESTS", "ERRORS", "P50", "P95", "P99"});
  const auto& runs = *(*answer)["runs"].as_array();
  for (std::size_t i = runs.size() > most ? runs.size() - most : 0; i < runs.size(); ++i) {
    const auto& run = runs[i];
    const auto verdict = text_of(run, "verdict");
    const Style style = verdict == "pass" ? Style::kGreen : verdict == "fail" ? Style::kRed : Style::kYellow;
    const auto configuration = text_of(run, "configuration");
    const auto ended = base::TimePoint{std::chrono::milliseconds{run["ended_ms"].integer_or(0)}};
    table.add({{base::iso8601(ended), Style::kPlain},
               {text_of(run, "tool"), Style::kPlain},
               {text_of(run, "name").empty() ? text_of(run, "scenario")
                                             : fmt::format("{} {}", text_of(run, "scenario"), text_of(run, "name")),
                Style::kPlain},
               {configuration.empty()       ? "changed meanwhile"
                : configuration == in_force ? "in force"
                                            : configuration,
                Style::kPlain},
               {verdict == "none" ? "no thresholds" : verdict, style},
               {std::to_string(run["requests"].integer_or(0)), Style::kPlain},
               {fmt::format("{:.2f} %", run["errors_percent"].number_or(0)), Style::kPlain},
               {fmt::format("{:.1f} ms", run["p50_ms"].number_or(0)), Style::kPlain},
               {fmt::format("{:.1f} ms", run["p95_ms"].number_or(0)), Style::kPlain},
               {fmt::format("{:.1f} ms", run["p99_ms"].number_or(0)), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

}  // namespace securebase::cli
