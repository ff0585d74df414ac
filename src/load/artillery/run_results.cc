#include "load/artillery/run_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/durable.h"
#include "load/measure/measured_json.h"

namespace securebase::load::artillery {

Outcome outcome_of(const RunResults& run, bool valid, bool expectation_failed) {
  Outcome outcome;
  outcome.target = run.script.config.target;
  outcome.valid = valid;
  for (const auto& one : run.checks) {
    if (!one.ok && one.strict) outcome.failed_checks.push_back(one.original);
  }
  const auto& counters = run.aggregate.counters;
  const auto sum_of = [&counters](std::string_view prefix) {
    double sum = 0;
    for (auto one = counters.lower_bound(std::string(prefix)); one != counters.end(); ++one) {
      if (!one->first.starts_with(prefix)) break;
      sum += one->second;
    }
    return sum;
  };
  const bool expects = sum_of("plugins.expect.") > 0;
  if (expectation_failed) outcome.failed_checks.push_back("expect");
  if (!run.checks.empty() || expects) outcome.passed = outcome.failed_checks.empty();
  const double requests = sum_of("http.requests");
  outcome.requests = static_cast<std::uint64_t>(requests);
  const double errors = sum_of("errors.") + sum_of("http.codes.4") + sum_of("http.codes.5");
  if (requests > 0) outcome.errors_percent = std::min(100.0, 100 * errors / requests);
  if (const auto found = run.aggregate.summaries.find("http.total_time"); found != run.aggregate.summaries.end()) {
    outcome.p50_ms = found->second.p50;
    outcome.p95_ms = found->second.p95;
    outcome.p99_ms = found->second.p99;
  }
  return outcome;
}

base::Json report_of(const RunResults& run,
                     const std::function<base::Json(std::chrono::milliseconds, double)>& ask_hops) {
  auto json = report_json(run.aggregate, {});
  auto doubts = base::Json::array();
  for (const auto& doubt : why_invalid(run.generator, tightest_limit_ms(run.script.config.ensure)))
    doubts.push_back(doubt);
  auto results = base::Json::array();
  for (const auto& check : run.checks) {
    results.push_back(base::Json::object(
        {{"check", check.original}, {"ok", check.ok}, {"strict", check.strict}, {"note", check.note}}));
  }
  json.set("securebase", base::Json::object({{"script", run.script.file.filename().native()},
                                             {"target", run.script.config.target},
                                             {"started", base::iso8601_millis(run.started)},
                                             {"endpoints", run.script.config.endpoints.prefix},
                                             {"checks", std::move(results)},
                                             {"invalid_because", std::move(doubts)},
                                             {"skipped", run.generator.skipped + run.generator.overflowed},
                                             {"lateness_p99_ms", run.generator.lateness_ms.percentile(99).value_or(0)},
                                             {"busiest_thread", run.generator.busiest_worker},
                                             {"measured", load::to_json(run.measured)}}));
  if (ask_hops) {
    const auto requests = run.aggregate.counters.find("http.requests");
    auto hops = ask_hops(run.measured.duration, requests == run.aggregate.counters.end() ? 0 : requests->second);
    if (!hops.is_null()) {
      auto ours = json["securebase"];
      ours.set("hops", std::move(hops));
      json.set("securebase", std::move(ours));
    }
  }
  return json;
}

std::pair<Result<Done>, Result<Done>> write_report(const std::filesystem::path& output, const base::Json& report,
                                                   PeriodSpool& periods) {
  const std::string text = report.dump(2) + "\n";
  constexpr std::string_view kNoPeriods = "\"intermediate\": [";
  const auto at = text.find(kNoPeriods);
  check(at != std::string::npos, "a report has its periods");
  Result<Done> given = Done{};
  const auto written = base::replace_file_by_pieces(output, [&](const PeriodSpool::Take& piece) -> Result<Done> {
    auto done = piece(std::string_view(text).substr(0, at + kNoPeriods.size()));
    if (!done) return done;
    // What is missing of them leaves a report of the rest.
    Result<Done> taken = Done{};
    given = periods.give([&](std::string_view bytes) { return taken = piece(bytes); });
    if (!taken) return taken;
    return piece(std::string_view(text).substr(at + kNoPeriods.size()));
  });
  return {written, given};
}

}  // namespace securebase::load::artillery
