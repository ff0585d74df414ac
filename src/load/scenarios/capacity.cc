#include "load/scenarios/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using base::Json;

constexpr double kGrowth = 1.6;        // from step to step, until something breaks
constexpr double kCloseEnough = 0.12;  // of the breaking point: halving ends there
constexpr double kAtItsEnd = 0.9;      // a resource that is used so far is saturated

// Why this step counts as broken; "" when it does not.
std::string broken_because(const RunResult& result, const Summary& summary) {
  if (summary.responses == 0) return "nothing was answered";
  for (const auto& judged : result.thresholds) {
    if (judged.verdict == Verdict::kFail) return fmt::format("{} was {:.4g}", judged.threshold.text(), judged.measured);
  }
  return {};
}

CapacityStep step_of(std::uint64_t users, const RunResult& result, const TargetSample& before,
                     const TargetSample& after) {
  CapacityStep step;
  step.users = users;
  const auto summary = summarise(result.measured.values, result.measured.duration);
  step.throughput = summary.answers_a_second();
  step.error_percent = summary.error_percent();
  if (const auto latency = latency_of(result.measured.values, result.open)) {
    step.p50_ms = latency->sketch.percentile(50).value_or(0);
    step.p95_ms = latency->sketch.percentile(95).value_or(0);
    step.p99_ms = latency->sketch.percentile(99).value_or(0);
  }
  const auto refused = summary.codes.find("429");
  const double share_429 = refused == summary.codes.end() ? 0 : summary.percent_of(refused->second) / 100;
  step.pressures = pressures(before, after, share_429);
  step.invalid = !result.valid();
  step.why = step.invalid ? result.invalid_because.front() : broken_because(result, summary);
  step.broken = !step.invalid && !step.why.empty();
  return step;
}

// The target at the begin and at the end of what is measured of a step: one span of time for all that is compared.
class Seen {
 public:
  void look(TargetWatch& watch) {
    last_ = watch.sample();
    if (!first_) first_ = last_;
  }
  // Two looks at least; else nothing can be said of what is counted over time.
  bool is_span() const { return first_ && last_.at > first_->at; }
  const TargetSample& first() const { return *first_; }
  const TargetSample& last() const { return last_; }

 private:
  std::optional<TargetSample> first_;
  TargetSample last_;
};

Json to_json(const CapacityStep& step) {
  auto resources = Json::array();
  for (const auto& pressure : step.pressures) {
    resources.push_back(
        Json::object({{"resource", pressure.resource}, {"share", pressure.share}, {"seen", pressure.seen}}));
  }
  return Json::object({{"users", step.users},
                       {"throughput", step.throughput},
                       {"p50_ms", step.p50_ms},
                       {"p95_ms", step.p95_ms},
                       {"p99_ms", step.p99_ms},
                       {"error_percent", step.error_percent},
                       {"outcome", step.invalid  ? "invalid"
                                   : step.broken ? "broken"
                                                 : "held"},
                       {"why", step.why},
                       {"resources", std::move(resources)}});
}

// In rising order of users, the first of its kind in which a resource was at its end.
Json first_saturated(const std::vector<CapacityStep>& by_users) {
  for (const auto& step : by_users) {
    if (step.pressures.empty() || step.pressures.front().share < kAtItsEnd) continue;
    const auto& first = step.pressures.front();
    return Json::object({{"resource", first.resource}, {"users", step.users}, {"seen", first.seen}});
  }
  return nullptr;
}

Json law_of(const std::vector<CapacityStep>& by_users) {
  std::vector<Load> loads;
  for (const auto& step : by_users) {
    if (!step.invalid) loads.push_back({static_cast<double>(step.users), step.throughput});
  }
  const auto law = fit_scalability(loads);
  if (!law) return nullptr;
  auto json = Json::object({{"lambda", law->lambda},
                            {"sigma", law->sigma},
                            {"kappa", law->kappa},
                            {"r_squared", law->r_squared},
                            {"knee_users", law->knee_users()}});
  if (std::isfinite(law->most())) json.set("most_throughput", law->most());
  if (const auto peak = law->peak_users()) json.set("peak_users", *peak);
  return json;
}

Json findings_of(const std::vector<CapacityStep>& steps) {
  auto by_users = steps;
  std::sort(by_users.begin(), by_users.end(), [](const auto& a, const auto& b) { return a.users < b.users; });
  auto list = Json::array();
  Json held;
  Json broke;
  for (const auto& step : by_users) {
    list.push_back(to_json(step));
    if (!step.invalid && !step.broken && broke.is_null()) held = to_json(step);
    if (step.broken && broke.is_null()) broke = to_json(step);
  }
  return Json::object({{"kind", "capacity"},
                       {"held", std::move(held)},
                       {"broke", std::move(broke)},
                       {"first_saturated", first_saturated(by_users)},
                       {"law", law_of(by_users)},
                       {"steps", std::move(list)}});
}

}  // namespace

std::optional<std::uint64_t> next_users(const std::vector<CapacityStep>& steps, std::uint64_t from, std::uint64_t to) {
  if (steps.empty()) return from;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  for (const auto& step : steps) {
    // A generator that is the limit finds nothing beyond.
    const bool over = step.broken || step.invalid;
    if (over && (bad == 0 || step.users < bad)) bad = step.users;
  }
  for (const auto& step : steps) {
    if (!step.broken && !step.invalid && (bad == 0 || step.users < bad)) good = std::max(good, step.users);
  }
  if (bad == 0) {
    if (good >= to) return std::nullopt;
    const auto more = static_cast<std::uint64_t>(std::ceil(static_cast<double>(good) * kGrowth));
    return std::min(to, std::max(good + 1, more));
  }
  if (good == 0 || steps.back().invalid) return std::nullopt;
  if (static_cast<double>(bad - good) <= std::max(1.0, kCloseEnough * static_cast<double>(bad))) return std::nullopt;
  return good + (bad - good) / 2;
}

Result<RunResult> capacity(const CapacitySettings& settings, TargetWatch& watch, const StopFlag& stop,
                           const std::function<void(const Live&)>& told,
                           const std::function<void(const CapacityStep&)>& step_done) {
  if (settings.from_users == 0 || settings.from_users > settings.to_users) {
    return Error{Errc::kMalformed, "a capacity test goes from at least one user to more users"};
  }
  std::vector<CapacityStep> steps;
  std::optional<RunResult> whole;
  while (const auto users = next_users(steps, settings.from_users, settings.to_users)) {
    RunSettings one = settings.run;
    one.scenario = "capacity";
    one.work.loop = true;
    one.warm_up = settings.settle;
    one.phases = users_for(*users, settings.settle + settings.step);
    if (one.thresholds.empty()) one.thresholds = guide_criteria();
    Seen seen;
    auto result = run(one, stop, [&](const Live& live) {
      if (!live.progress.warming_up) seen.look(watch);
      if (told) told(live);
    });
    if (!result) return result.error();
    if (!seen.is_span()) seen.look(watch);
    steps.push_back(step_of(*users, *result, seen.first(), seen.last()));
    if (step_done) step_done(steps.back());
    const bool interrupted = result->interrupted;
    whole = std::move(*result);
    if (interrupted) break;
  }
  // Limits were made to be crossed: what the search found is not a failure of them.
  whole->thresholds.clear();
  whole->invalid_because.clear();
  if (steps.back().invalid) whole->invalid_because.push_back(steps.back().why);
  whole->findings = findings_of(steps);
  return std::move(*whole);
}

std::string capacity_text(const Json& findings) {
  std::string text = fmt::format("  {:>7}{:>14}{:>12}{:>12}{:>12}{:>10}  {}\n", "users", "answers/s", "p50 ms",
                                 "p95 ms", "p99 ms", "errors", "");
  if (const auto* steps = findings["steps"].as_array()) {
    for (const auto& step : *steps) {
      text +=
          fmt::format("  {:>7}{:>14.1f}{:>12.2f}{:>12.2f}{:>12.2f}{:>9.2f}%  {}{}\n", step["users"].integer_or(0),
                      step["throughput"].number_or(0), step["p50_ms"].number_or(0), step["p95_ms"].number_or(0),
                      step["p99_ms"].number_or(0), step["error_percent"].number_or(0), step["outcome"].string_or(""),
                      step["why"].string_or("").empty() ? "" : ": " + std::string(step["why"].string_or("")));
    }
  }
  const auto& held = findings["held"];
  const auto& broke = findings["broke"];
  if (!broke.is_null()) {
    text +=
        fmt::format("  breaks at {} users ({}); held {} users, {:.0f} answers a second\n", broke["users"].integer_or(0),
                    broke["why"].string_or(""), held["users"].integer_or(0), held["throughput"].number_or(0));
  } else if (!held.is_null()) {
    text += fmt::format("  did not break: held {} users, {:.0f} answers a second\n", held["users"].integer_or(0),
                        held["throughput"].number_or(0));
  }
  if (const auto& first = findings["first_saturated"]; !first.is_null()) {
    text += fmt::format("  first at its end: {} at {} users ({})\n", first["resource"].string_or(""),
                        first["users"].integer_or(0), first["seen"].string_or(""));
  } else {
    text += "  no resource that was seen came to its end\n";
  }
  if (const auto& law = findings["law"]; !law.is_null()) {
    text += fmt::format("  knee at {:.0f} users", law["knee_users"].number_or(0));
    if (!law["most_throughput"].is_null())
      text += fmt::format(", at most {:.0f} answers a second", law["most_throughput"].number_or(0));
    if (!law["peak_users"].is_null()) text += fmt::format(" at {:.0f} users", law["peak_users"].number_or(0));
    text += fmt::format(" (Universal Scalability Law: lambda {:.1f}, sigma {:.4f}, kappa {:.2e}, R2 {:.3f})\n",
                        law["lambda"].number_or(0), law["sigma"].number_or(0), law["kappa"].number_or(0),
                        law["r_squared"].number_or(0));
  }
  return text;
}

}  // namespace securebase::load
