// `securebase check` and `securebase load runs`: the gates, waivers, and the load tests that they rest on.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "platform/rooms.h"

namespace securebase::platform {

using base::Json;

namespace {

constexpr std::chrono::days kLongestWaiting{90};
constexpr std::chrono::days kLongestWindow{200};  // twice of it is kept

// What cannot be read is nobody's reason not to start: it is told, and what it would have said does not count.
template <class T>
void open_into(std::optional<T>& into, Result<T> store, std::string_view consequence) {
  if (store) {
    into.emplace(std::move(*store));
  } else {
    base::log(base::Level::kError, "platform", "{}; {}", store.error().message, consequence);
  }
}

Error not_opened(std::string_view what) {
  return {Errc::kIo, fmt::format("{} could not be read at the start; the platform's log says why", what)};
}

}  // namespace

void Rooms::open_gates() {
  const auto directory = state_.of("generations");
  open_into(generations_, Generations::open(directory), "there is no way back to what it has");
  if (!generations_) generations_.emplace(Generations::nothing_kept(directory));
  open_into(waivers_, advisor::Waivers::open(state_.of("advisor") / "waivers.json"), "nothing is waived");
  open_into(load_runs_, advisor::LoadRuns::open(state_.of("advisor") / "load-runs.jsonl"), "no load test counts");
}

Result<Json> Rooms::check(const Json& question) {
  const auto gate = advisor::gate_from(question["gate"].string_or(""));
  if (!gate) return Error{Errc::kMalformed, "which gate: pre-deploy, post-deploy or monthly?"};
  const std::chrono::hours usual{*gate == advisor::Gate::kMonthly ? 24 * 30 : 24};
  const auto fresh_seconds = question["fresh_seconds"].integer_or(86'400);
  const std::chrono::seconds window{question["window_seconds"].integer_or(std::chrono::seconds{usual}.count())};
  const std::chrono::seconds freshness{fresh_seconds};
  for (const auto& time : {window, freshness}) {
    if (time >= std::chrono::minutes{1} && time <= kLongestWindow) continue;
    return Error{Errc::kMalformed,
                 fmt::format("--window and --fresh lie between one minute and {} days", kLongestWindow.count())};
  }
  const auto waived = waivers_ ? waivers_->all() : std::vector<advisor::Waiver>{};
  auto known = facts(*gate, window, freshness);
  known.load_test = question["load_test"].string_or("");
  const auto report = advisor::check(*gate, known, waived);
  return Json::object({{"report", advisor::to_json(report)},
                       {"text", advisor::render(report)},
                       {"junit", advisor::to_junit(report)},
                       {"markdown", advisor::to_markdown(report)},
                       {"exit_code", advisor::exit_code(report)}});
}

Result<Json> Rooms::waivers(const Json& question) {
  if (!waivers_) return not_opened("waivers");
  const auto what = question["what"].string_or("list");
  if (what == "add") {
    advisor::Waiver waiver;
    waiver.check = question["check"].string_or("");
    waiver.owner = question["owner"].string_or("");
    waiver.reason = question["reason"].string_or("");
    waiver.made = base::system_clock().now();
    const auto seconds = question["for_seconds"].integer_or(0);
    waiver.until =
        waiver.made + std::clamp<std::chrono::seconds>(std::chrono::seconds{seconds}, std::chrono::seconds{0},
                                                       kLongestWaiting + std::chrono::days{1});
    if (auto added = waivers_->add(std::move(waiver)); !added) return added.error();
  } else if (what == "remove") {
    if (auto removed = waivers_->remove(question["check"].string_or("")); !removed) return removed.error();
  } else if (what != "list") {
    return Error{Errc::kMalformed, "what about the waivers: list, add or remove?"};
  }
  auto list = Json::array();
  for (const auto& waiver : waivers_->all()) {
    list.push_back(Json::object({{"check", waiver.check},
                                 {"owner", waiver.owner},
                                 {"reason", waiver.reason},
                                 {"until", base::iso8601(waiver.until)},
                                 {"expired", waiver.until <= base::system_clock().now()}}));
  }
  return Json::object({{"waivers", std::move(list)}});
}

// What load tests tell: at their beginning which configuration they meet, at their end what came of it.
Result<Json> Rooms::load_runs(const Json& question) {
  if (!load_runs_) return not_opened("the list of load tests");
  const auto what = question["what"].string_or("list");
  if (what == "configuration") {
    const std::lock_guard lock(mutex_);
    return Json::object({{"configuration", configuration_in_force()}});
  }
  if (what == "add") {
    auto run = advisor::load_run_from(question["run"]);
    if (!run) return run.error();
    {
      const std::lock_guard lock(mutex_);
      if (run->configuration != configuration_in_force()) run->configuration.clear();  // it changed on the way
    }
    if (auto added = load_runs_->add(std::move(*run)); !added) return added.error();
    return Json::object();
  }
  if (what == "scenarios") {
    const std::lock_guard lock(mutex_);
    const auto declared = applied_.stack->outputs.find("securebase_load");
    return Json::object(
        {{"scenarios", declared == applied_.stack->outputs.end() ? Json::object() : declared->second.value.to_json()},
         {"directory", std::filesystem::absolute(applied_.stack->directory).lexically_normal().native()}});
  }
  if (what != "list") return Error{Errc::kMalformed, "what about load runs: list, scenarios, configuration or add?"};
  auto list = Json::array();
  for (const auto& run : load_runs_->all()) list.push_back(advisor::to_json(run));
  const std::lock_guard lock(mutex_);
  return Json::object({{"runs", std::move(list)}, {"configuration", configuration_in_force()}});
}

}  // namespace securebase::platform
