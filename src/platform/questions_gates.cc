// `securebase check` and `securebase load runs`: the gates, waivers, and the load tests that they rest on.
#include <fmt/format.h>

#include "platform/rooms.h"

namespace securebase::platform {

using base::Json;

Result<Done> Rooms::open_gates() {
  auto generations = Generations::open(state_.of("generations"));
  if (!generations) return generations.error();
  generations_.emplace(std::move(*generations));
  auto waivers = advisor::Waivers::open(state_.of("advisor") / "waivers.json");
  if (!waivers) return waivers.error();
  waivers_.emplace(std::move(*waivers));
  auto runs = advisor::LoadRuns::open(state_.of("advisor") / "load-runs.jsonl");
  if (!runs) return runs.error();
  load_runs_.emplace(std::move(*runs));
  return Done{};
}

Result<Json> Rooms::check(const Json& question) {
  const auto gate = advisor::gate_from(question["gate"].string_or(""));
  if (!gate) return Error{Errc::kMalformed, "which gate: pre-deploy, post-deploy or monthly?"};
  const std::chrono::hours usual{*gate == advisor::Gate::kMonthly ? 24 * 30 : 24};
  const std::chrono::seconds window{question["window_seconds"].integer_or(std::chrono::seconds{usual}.count())};
  const std::chrono::seconds freshness{question["fresh_seconds"].integer_or(86'400)};
  if (window < std::chrono::minutes{1} || window > std::chrono::days{200}) {
    return Error{Errc::kMalformed, "a window lies between one minute and 200 days: twice of it is kept"};
  }
  const auto report = advisor::check(*gate, facts(*gate, window, freshness), waivers_->all());
  return Json::object({{"report", advisor::to_json(report)},
                       {"text", advisor::render(report)},
                       {"junit", advisor::to_junit(report)},
                       {"markdown", advisor::to_markdown(report)},
                       {"exit_code", advisor::exit_code(report)}});
}

Result<Json> Rooms::waivers(const Json& question) {
  const auto what = question["what"].string_or("list");
  if (what == "add") {
    advisor::Waiver waiver;
    waiver.check = question["check"].string_or("");
    waiver.owner = question["owner"].string_or("");
    waiver.reason = question["reason"].string_or("");
    waiver.made = base::system_clock().now();
    waiver.until = waiver.made + std::chrono::seconds{question["for_seconds"].integer_or(0)};
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
  if (what != "list") return Error{Errc::kMalformed, "what about load runs: list, configuration or add?"};
  auto list = Json::array();
  for (const auto& run : load_runs_->all()) list.push_back(advisor::to_json(run));
  const std::lock_guard lock(mutex_);
  return Json::object({{"runs", std::move(list)}, {"configuration", configuration_in_force()}});
}

}  // namespace securebase::platform
