#include "load/scenarios/endurance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/scenarios/summary.h"

namespace securebase::load {

namespace {

using base::Json;
using Hours = std::chrono::duration<double, std::ratio<3600>>;

// A process that has just been loaded fills its pools: the first quarter says nothing of what it does in a day.
constexpr double kSettled = 0.25;
constexpr double kDay = 24;         // hours
constexpr double kRelevant = 0.10;  // of the level, in a day
constexpr double kNoticed = 0.01;   // of the level, while one looked
constexpr double kSlower = 0.25;    // of p95, within the run
// A start looks like a leak while it lasts. Before this long only what doubled is called one.
constexpr double kStartHours = 10.0 / 60;
constexpr std::size_t kMostSamples = 2000;

struct History {
  std::vector<Level> rss;
  std::vector<Level> tree_rss;
  std::vector<Level> descriptors;
  std::vector<Level> sockets;

  void add(double hours, const TargetSample& sample) {
    rss.push_back({hours, sample.rss_bytes / 1e6});
    tree_rss.push_back({hours, sample.tree_rss_bytes / 1e6});
    descriptors.push_back({hours, sample.descriptors});
    sockets.push_back({hours, sample.sockets});
    // Every other one goes when there are too many: a day needs no more memory than an hour.
    if (rss.size() < kMostSamples) return;
    for (auto* levels : {&rss, &tree_rss, &descriptors, &sockets}) {
      for (std::size_t i = 0; i < levels->size() / 2; ++i) (*levels)[i] = (*levels)[2 * i];
      levels->resize(levels->size() / 2);
    }
    ++thinned;
  }
  int thinned = 0;
};

std::vector<Level> settled(const std::vector<Level>& levels) {
  if (levels.empty()) return {};
  const double from = levels.front().hours + kSettled * (levels.back().hours - levels.front().hours);
  std::vector<Level> kept;
  std::copy_if(levels.begin(), levels.end(), std::back_inserter(kept),
               [&](const Level& level) { return level.hours >= from; });
  return kept;
}

std::vector<Level> latencies(const Timeline& timeline) {
  std::vector<Level> levels;
  for (const auto& slice : timeline.slices()) {
    const auto latency = latency_of(slice.values, false);
    if (!latency || latency->sketch.count() == 0) continue;
    levels.push_back({Hours(slice.begin + slice.end).count() / 2, latency->sketch.percentile(95).value_or(0)});
  }
  return levels;
}

Json to_json(const LevelTest& test) {
  auto json = Json::object(
      {{"name", test.name}, {"unit", test.unit}, {"verdict", to_string(test.verdict)}, {"seen", test.seen}});
  if (!test.slope) return json;
  json.set("level", test.slope->level);
  json.set("an_hour", test.slope->an_hour);
  json.set("low", test.slope->low);
  json.set("high", test.slope->high);
  json.set("smallest_detectable_an_hour", test.slope->smallest_detectable());
  return json;
}

// Whether the growth can be more than the end of a start: the run was long, or the level doubled; and it goes on in the
// later half by itself, where a pool that fills has slowed down.
bool more_than_a_start(const std::vector<Level>& levels, const Slope& slope) {
  if (slope.hours < kStartHours && slope.grown() < slope.level) return false;
  const std::vector<Level> later(levels.begin() + static_cast<std::ptrdiff_t>(levels.size() / 2), levels.end());
  const auto later_slope = slope_of(later);
  return later_slope && later_slope->grows() && later_slope->an_hour > slope.an_hour / 3;
}

LevelTest describe_level(std::string name, std::string unit, const std::vector<Level>& levels) {
  LevelTest test;
  test.name = std::move(name);
  test.unit = unit.empty() ? "" : " " + unit;
  test.slope = slope_of(settled(levels));
  if (!test.slope) {
    test.seen = fmt::format("{} samples are too few", levels.size());
    return test;
  }
  const auto number = [&](double value) { return std::abs(value) < 1e-6 ? 0.0 : value; };
  test.seen = fmt::format("{:.4g}{}, {:+.3g} an hour (99 % between {:+.3g} and {:+.3g})", test.slope->level, test.unit,
                          number(test.slope->an_hour), number(test.slope->low), number(test.slope->high));
  return test;
}

}  // namespace

LevelTest test_level(std::string name, std::string unit, const std::vector<Level>& levels) {
  auto test = describe_level(std::move(name), std::move(unit), levels);
  if (!test.slope) return test;
  const auto& slope = *test.slope;
  const double relevant = std::max(kRelevant * slope.level, 1e-9) / kDay;  // an hour
  if (slope.high <= relevant) {
    test.verdict = Verdict::kPass;
  } else if (slope.grows() && slope.an_hour > relevant && slope.grown() > kNoticed * slope.level &&
             more_than_a_start(settled(levels), slope)) {
    test.verdict = Verdict::kFail;
    test.seen += fmt::format(": {:+.0f} % in a day", 100 * slope.an_hour * kDay / std::max(slope.level, 1e-9));
  } else if (slope.grows() && slope.an_hour > relevant) {
    test.seen += fmt::format("; it grew by {:.3g}{} in {:.2g} minutes, which may be the end of its start: run longer",
                             slope.grown(), test.unit, 60 * slope.hours);
  } else {
    test.seen += fmt::format("; {:.3g} an hour would matter, and this run was too short to see that", relevant);
  }
  return test;
}

LevelTest test_latency(const std::vector<Level>& levels) {
  auto test = describe_level("p95 latency", "ms", levels);
  if (!test.slope) return test;
  const auto& slope = *test.slope;
  if (slope.grows() && slope.grown() > kRelevant * slope.level && more_than_a_start(settled(levels), slope)) {
    test.verdict = Verdict::kFail;
  } else if (slope.high * slope.hours <= kSlower * slope.level) {
    test.verdict = Verdict::kPass;
  } else {
    test.seen += "; it varies too much to exclude that it grew by a quarter";
  }
  return test;
}

Result<RunResult> endurance(const EnduranceSettings& settings, TargetWatch& watch, const StopFlag& stop,
                            const std::function<void(const Live&)>& told) {
  RunSettings one = settings.run;
  one.scenario = "endurance";
  one.work.loop = true;
  one.phases = users_for(settings.users, one.warm_up + settings.duration);
  History history;
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t looks = 0;
  const auto look = [&](const Live& live) {
    if (!live.progress.warming_up && looks++ % (std::uint64_t{1} << std::min(history.thinned, 30)) == 0 &&
        watch.sees_target() && !watch.lost()) {
      const auto sample = watch.sample();
      if (sample.of_target) history.add(Hours(sample.at - begun).count(), sample);
    }
    if (told) told(live);
  };
  auto result = settings.carry_out(one, stop, look);
  if (!result) return result.error();
  std::vector<LevelTest> tests;
  if (watch.sees_target()) {
    (void)watch.sample();  // whether it lives to the end
    tests.push_back(test_level("memory of the process", "MB", history.rss));
    tests.push_back(test_level("memory with its children", "MB", history.tree_rss));
    tests.push_back(test_level("descriptors", "", history.descriptors));
    tests.push_back(test_level("connections", "", history.sockets));
  }
  tests.push_back(test_latency(latencies(result->measured.timeline)));
  auto list = Json::array();
  for (const auto& test : tests) list.push_back(to_json(test));
  result->findings = Json::object({{"kind", "endurance"},
                                   {"users", settings.users},
                                   {"target_seen", watch.sees_target()},
                                   {"target_lost", watch.lost()},
                                   {"levels", std::move(list)}});
  if (!result->interrupted) {
    if (watch.lost()) result->checks.push_back(process_ended());
    for (const auto& test : tests) result->checks.push_back({"no growth of " + test.name, test.seen, test.verdict});
    if (auto doubt = doubt_of_unanswered(*result)) result->checks.push_back(std::move(*doubt));
  }
  return result;
}

std::string endurance_text(const Json& findings) {
  if (findings["target_seen"].bool_or(false)) return {};
  return "  memory and descriptors of the target were not seen: it is not a SecureBase of this state directory, and no "
         "--target-pid was given\n";
}

}  // namespace securebase::load
