#include "load/scenarios/spike.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "load/measure/collector.h"
#include "load/scenarios/http_measures.h"
#include "load/scenarios/summary.h"

namespace securebase::load {
namespace {

using std::chrono::seconds;

// What a spike says of a target whose p95 was `p95_ms[i]` in second i; 0: nothing was answered.
RunResult spike_over(const std::vector<double>& p95_ms, bool interrupted = false, double errors_share = 0) {
  SpikeSettings settings;
  settings.before = seconds{5};
  settings.rise = seconds{2};
  settings.hold = seconds{static_cast<std::int64_t>(p95_ms.size()) - 7};
  settings.respond_within = seconds{10};
  settings.carry_out = [&](const RunSettings& run, const StopFlag&, const auto&) -> Result<RunResult> {
    EXPECT_EQ(run.phases.size(), 4u);
    EXPECT_EQ(run.phases[2].count, 490u);
    base::ManualClock clock;
    Collector collector(clock);
    auto& recorder = collector.make_recorder();
    collector.start();
    for (const double p95 : p95_ms) {
      if (p95 > 0) {
        Recorder::Batch batch(recorder);
        batch.add(collector.series(Kind::kCounter, kRequests), 100);
        batch.add(collector.series(Kind::kCounter, kResponses), 100);
        batch.add(collector.series(Kind::kCounter, kCodes, {{"status", "503"}}), 100 * errors_share);
        batch.add(collector.series(Kind::kTrend, kServiceTime), p95, 100);
      }
      clock.advance(seconds{1});
      collector.collect();
    }
    RunResult result;
    result.measured = collector.measured();
    result.interrupted = interrupted;
    return result;
  };
  auto watch = TargetWatch::open(0, nullptr);
  EXPECT_TRUE(watch);
  const StopFlag stop = false;
  auto result = spike(settings, *watch, stop, {});
  EXPECT_TRUE(result);
  return std::move(*result);
}

std::vector<double> seconds_of(std::initializer_list<std::pair<int, double>> stretches) {
  std::vector<double> all;
  for (const auto& [count, value] : stretches) all.insert(all.end(), static_cast<std::size_t>(count), value);
  return all;
}

TEST(Spike, CountsFromTheRiseUntilLatencyIsBackAndStays) {
  // Slow from second 6 to 9, and once more in second 11: the rise begins at 5, so it took until 12.
  const auto result = spike_over(seconds_of({{6, 10}, {4, 400}, {1, 10}, {1, 400}, {13, 10}}));
  EXPECT_EQ(result.findings["recovered_after_seconds"].number_or(-1), 7);
  ASSERT_EQ(result.checks.size(), 1u);
  EXPECT_EQ(result.checks[0].verdict, Verdict::kPass);
  EXPECT_NEAR(result.findings["before"]["p95_ms"].number_or(0), 10, 0.1);
  EXPECT_NEAR(result.findings["rise"]["p95_ms"].number_or(0), 400, 4);
}

TEST(Spike, FailsWhenLatencyTakesTooLongOrNeverComesBack) {
  const auto late = spike_over(seconds_of({{5, 10}, {12, 400}, {8, 10}}));
  EXPECT_EQ(late.findings["recovered_after_seconds"].number_or(-1), 12);
  EXPECT_EQ(late.checks.at(0).verdict, Verdict::kFail);
  const auto never = spike_over(seconds_of({{5, 10}, {20, 400}}));
  EXPECT_TRUE(never.findings["recovered_after_seconds"].is_null());
  EXPECT_EQ(never.checks.at(0).verdict, Verdict::kFail);
  // Less time than it may take is no evidence against it.
  const auto brief = spike_over(seconds_of({{5, 10}, {5, 400}}));
  EXPECT_EQ(brief.checks.at(0).verdict, Verdict::kInsufficient);
}

TEST(Spike, DoesNotTakeSilenceOrErrorsForSpeed) {
  const auto silent = spike_over(seconds_of({{6, 10}, {19, 0}}));
  EXPECT_TRUE(silent.findings["recovered_after_seconds"].is_null());
  EXPECT_EQ(silent.checks.at(0).verdict, Verdict::kFail);
  const auto refused = spike_over(seconds_of({{25, 1}}), false, 0.5);
  EXPECT_EQ(refused.checks.at(0).verdict, Verdict::kFail);
}

TEST(Spike, StayedBelowIsNoRecovery) {
  const auto result = spike_over(seconds_of({{25, 10}}));
  EXPECT_EQ(result.findings["recovered_after_seconds"].number_or(-1), 0);
  EXPECT_EQ(result.checks.at(0).verdict, Verdict::kPass);
  EXPECT_TRUE(spike_over(seconds_of({{25, 10}}), true).checks.empty());  // interrupted: no verdict
}

}  // namespace
}  // namespace securebase::load
