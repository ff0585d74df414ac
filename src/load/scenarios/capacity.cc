#include "load/scenarios/capacity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using base::Json;
using std::chrono::nanoseconds;
using Outcome = CapacityStep::Outcome;

constexpr double kGrowth = 1.6;        // from step to step, until something breaks
constexpr double kCloseEnough = 0.12;  // of the breaking point: halving ends there
constexpr double kFarBeyond = 10;      // times the users that there were: nobody knows what would be there
constexpr double kAtItsEnd = 0.9;      // a resource that is used so far is saturated

// Why this step counts as broken; "" when it does not.
std::string broken_because(const RunResult& result, const Summary& summary) {
  if (summary.responses == 0) return "nothing was answered";
  for (const auto& judged : result.thresholds) {
    if (judged.verdict == Verdict::kFail) return fmt::format("{} was {:.4g}", judged.threshold.text(), judged.measured);
  }
  return {};
}

// Why it cannot be said whether this step holds; "" when it can.
std::string undecided_because(const RunResult& result) {
  if (result.interrupted) return "interrupted";
  for (const auto& judged : result.thresholds) {
    if (judged.verdict != Verdict::kInsufficient) continue;
    return fmt::format("{} has {} samples, {} are needed", judged.threshold.text(), judged.samples, judged.needed);
  }
  return {};
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kHeld:
      return "held";
    case Outcome::kBroken:
      return "broken";
    case Outcome::kUndecided:
      return "undecided";
    case Outcome::kInvalid:
      return "invalid";
  }
  return "";
}

// The target at the begin and at the end of what is measured of a step: one span of time for all that is compared.
class Seen {
 public:
  void look(TargetWatch& watch) {
    last_ = watch.sample();
    if (!first_) first_ = last_;
    for (const auto& [name, level] : last_.levels) {
      auto& most = most_.try_emplace(name, level).first->second;
      if (level.used > most.used) most = level;
    }
    last_.levels = most_;
  }
  // Two looks at least; else nothing can be said of what is counted over time.
  bool is_span() const { return first_ && last_.at > first_->at; }
  const TargetSample& first() const { return *first_; }
  const TargetSample& last() const { return last_; }

 private:
  std::optional<TargetSample> first_;
  TargetSample last_;
  std::map<std::string, TargetSample::Level> most_;  // users are gone when the run has ended
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
                       {"outcome", to_string(step.outcome)},
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
    const bool measured = step.outcome == Outcome::kHeld || step.outcome == Outcome::kBroken;
    if (measured) loads.push_back({static_cast<double>(step.users), step.throughput});
  }
  const auto law = fit_scalability(loads);
  if (!law) return nullptr;
  auto json = Json::object(
      {{"lambda", law->lambda}, {"sigma", law->sigma}, {"kappa", law->kappa}, {"r_squared", law->r_squared}});
  // Where throughput grew in line with users, the knee lies beyond anything that was seen.
  const double most_users = loads.empty() ? 0 : loads.back().users;
  if (law->knee_users() <= kFarBeyond * most_users) json.set("knee_users", law->knee_users());
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
    if (step.outcome == Outcome::kHeld && broke.is_null()) held = to_json(step);
    if (step.outcome == Outcome::kBroken && broke.is_null()) broke = to_json(step);
  }
  return Json::object({{"kind", "capacity"},
                       {"held", std::move(held)},
                       {"broke", std::move(broke)},
                       {"first_saturated", first_saturated(by_users)},
                       {"law", law_of(by_users)},
                       {"steps", std::move(list)}});
}

RunSettings settings_of_step(const CapacitySettings& settings, std::uint64_t users, nanoseconds length) {
  RunSettings one = settings.run;
  one.scenario = "capacity";
  one.work.loop = true;
  one.warm_up = settings.settle;
  one.phases = users_for(users, settings.settle + length);
  if (one.thresholds.empty()) one.thresholds = guide_criteria();
  return one;
}

}  // namespace

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
  const auto say = [&step](Outcome outcome, std::string why) {
    step.outcome = outcome;
    step.why = std::move(why);
  };
  if (!result.valid()) {
    say(Outcome::kInvalid, result.invalid_because.front());
  } else if (auto broken = broken_because(result, summary); !broken.empty()) {
    say(Outcome::kBroken, std::move(broken));
  } else if (auto undecided = undecided_because(result); !undecided.empty()) {
    say(Outcome::kUndecided, std::move(undecided));
  }
  return step;
}

std::optional<nanoseconds> longer_step(const RunResult& result, nanoseconds length, nanoseconds most) {
  constexpr double kSpare = 1.2;  // the next stretch may bring fewer
  double times = 2;
  for (const auto& judged : result.thresholds) {
    if (judged.verdict != Verdict::kInsufficient) continue;
    const auto samples = static_cast<double>(std::max<std::uint64_t>(judged.samples, 1));
    times = std::max(times, kSpare * static_cast<double>(judged.needed) / samples);
  }
  const double wanted = times * static_cast<double>(length.count());
  if (wanted > static_cast<double>(most.count())) return std::nullopt;
  return nanoseconds{static_cast<std::int64_t>(wanted)};
}

void conclude(const std::vector<CapacityStep>& steps, RunResult& last) {
  last.thresholds.clear();
  last.invalid_because.clear();
  const auto& end = steps.back();
  if (end.outcome == Outcome::kInvalid) last.invalid_because.push_back(end.why);
  if (end.outcome == Outcome::kUndecided && !last.interrupted) {
    last.checks.push_back({fmt::format("samples tell whether {} users are held", end.users),
                           end.why + "; a longer --step brings more", Verdict::kInsufficient});
  }
  last.findings = findings_of(steps);
}

std::optional<std::uint64_t> next_users(const std::vector<CapacityStep>& steps, std::uint64_t from, std::uint64_t to) {
  if (steps.empty()) return from;
  if (steps.back().outcome == Outcome::kUndecided) return std::nullopt;
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  for (const auto& step : steps) {
    // A generator that is the limit finds nothing beyond.
    const bool over = step.outcome == Outcome::kBroken || step.outcome == Outcome::kInvalid;
    if (over && (bad == 0 || step.users < bad)) bad = step.users;
  }
  for (const auto& step : steps) {
    if (step.outcome == Outcome::kHeld && (bad == 0 || step.users < bad)) good = std::max(good, step.users);
  }
  if (bad == 0) {
    if (good >= to) return std::nullopt;
    const auto more = static_cast<std::uint64_t>(std::ceil(static_cast<double>(good) * kGrowth));
    return std::min(to, std::max(good + 1, more));
  }
  if (good == 0 || steps.back().outcome == Outcome::kInvalid) return std::nullopt;
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
  std::optional<RunResult> last;
  auto length = settings.step;
  while (const auto users = next_users(steps, settings.from_users, settings.to_users)) {
    Seen seen;
    auto result = run(settings_of_step(settings, *users, length), stop, [&](const Live& live) {
      if (!live.progress.warming_up) seen.look(watch);
      if (told) told(live);
    });
    if (!result) return result.error();
    if (!seen.is_span()) seen.look(watch);
    auto step = step_of(*users, *result, seen.first(), seen.last());
    if (watch.lost()) {
      step.outcome = Outcome::kBroken;
      step.why = "the target's process ended";
    }
    if (step_done) step_done(step);
    const auto longer = longer_step(*result, length, kMostLonger * settings.step);
    last = std::move(*result);
    const bool ends = last->interrupted || watch.lost();
    if (step.outcome == Outcome::kUndecided && longer && !ends) {
      length = *longer;  // these users once more
      continue;
    }
    length = settings.step;
    steps.push_back(std::move(step));
    if (ends) break;
  }
  conclude(steps, *last);
  if (watch.lost() && !last->interrupted) last->checks.push_back(process_ended());
  return std::move(*last);
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
  if (held.is_null() && broke.is_null()) {
    text += "  whether it breaks is not known\n";
  } else if (held.is_null()) {
    text += fmt::format(
        "  breaks at {} users already ({}): begin with fewer (--from), or give each a pause between two requests "
        "(--think), as people have one\n",
        broke["users"].integer_or(0), broke["why"].string_or(""));
  } else if (!broke.is_null()) {
    text +=
        fmt::format("  breaks at {} users ({}); held {} users, {:.0f} answers a second\n", broke["users"].integer_or(0),
                    broke["why"].string_or(""), held["users"].integer_or(0), held["throughput"].number_or(0));
  } else {
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
    text += law["knee_users"].is_null() ? std::string("  no knee: throughput grew in line with the users")
                                        : fmt::format("  knee at {:.0f} users", law["knee_users"].number_or(0));
    if (!law["knee_users"].is_null() && !law["most_throughput"].is_null())
      text += fmt::format(", at most {:.0f} answers a second", law["most_throughput"].number_or(0));
    if (!law["knee_users"].is_null() && !law["peak_users"].is_null())
      text += fmt::format(" at {:.0f} users", law["peak_users"].number_or(0));
    text += fmt::format(" (Universal Scalability Law: lambda {:.1f}, sigma {:.4f}, kappa {:.2e}, R2 {:.3f})\n",
                        law["lambda"].number_or(0), law["sigma"].number_or(0), law["kappa"].number_or(0),
                        law["r_squared"].number_or(0));
  }
  return text;
}

}  // namespace securebase::load
