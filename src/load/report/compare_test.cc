#include "load/report/compare.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "load/measure/collector.h"
#include "load/report/html.h"
#include "load/report/result_view.h"
#include "load/scenarios/http_measures.h"

namespace securebase::load {
namespace {

// A minute of a hundred answers a second, whose latencies are spread around `milliseconds`; every second has a level of
// its own, as real seconds have.
RunResult minute(double milliseconds, std::uint64_t seed, double noise_of_seconds = 0.05, int seconds = 60) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  const auto latency = collector.series(Kind::kTrend, kServiceTime);
  const auto requests = collector.series(Kind::kCounter, kRequests);
  const auto responses = collector.series(Kind::kCounter, kResponses);
  std::uint64_t state = seed * 7919 + 1;
  const auto random = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state >> 11) * 0x1.0p-53;
  };
  collector.start();
  for (int second = 0; second < seconds; ++second) {
    const double level = milliseconds * (1 + noise_of_seconds * (random() - 0.5));
    for (int i = 0; i < 100; ++i) {
      Recorder::Batch batch(recorder);
      batch.add(requests, 1);
      batch.add(responses, 1);
      batch.add(latency, level * (0.5 + random()));
    }
    clock.advance(std::chrono::seconds{1});
    collector.collect();
  }
  RunResult result;
  result.measured = collector.measured();
  return result;
}

Difference find(const std::vector<Difference>& differences, std::string_view name) {
  for (const auto& one : differences) {
    if (one.name == name) return one;
  }
  return {};
}

using Verdict = Difference::Verdict;

TEST(Compare, SeesNoDifferenceBetweenTwoRunsOfTheSame) {
  for (std::uint64_t seed = 1; seed < 4; ++seed) {
    const auto differences = compare({minute(100, seed)}, {minute(100, seed + 100)}, {});
    ASSERT_TRUE(differences);
    EXPECT_FALSE(any_worse(*differences)) << as_text(*differences, {});
    EXPECT_EQ(find(*differences, "p95").verdict, Verdict::kSame) << as_text(*differences, {});
  }
}

TEST(Compare, SeesAFifthMore) {
  const auto differences = compare({minute(100, 1)}, {minute(120, 2)}, {});
  ASSERT_TRUE(differences);
  const auto p95 = find(*differences, "p95");
  EXPECT_EQ(p95.verdict, Verdict::kWorse);
  EXPECT_NEAR(p95.change, 0.2, 0.03);
  EXPECT_LT(p95.low, 0.2);
  EXPECT_GT(p95.high, 0.2);
  EXPECT_EQ(find(*compare({minute(120, 2)}, {minute(100, 1)}, {}), "p95").verdict, Verdict::kBetter);
}

TEST(Compare, DoesNotTakeNoiseForADifference) {
  // Seconds differ by half; a tenth more is hidden in that.
  const auto differences = compare({minute(100, 1, 1.0, 12)}, {minute(107, 2, 1.0, 12)}, {});
  ASSERT_TRUE(differences);
  EXPECT_EQ(find(*differences, "p50").verdict, Verdict::kUnclear) << as_text(*differences, {});
}

TEST(Compare, WantsEnoughTime) {
  EXPECT_EQ(find(*compare({minute(100, 1, 0, 5)}, {minute(200, 2, 0, 5)}, {}), "p50").verdict, Verdict::kInsufficient);
}

TEST(Compare, RefusesWhatDoesNotCompare) {
  auto open = minute(100, 1);
  open.open = true;
  EXPECT_FALSE(compare({open}, {minute(100, 2)}, {}));
  auto invalid = minute(100, 1);
  invalid.invalid_because = {"late"};
  EXPECT_FALSE(compare({minute(100, 2)}, {invalid}, {}));
}

TEST(Comparison, IsShownInTheReport) {
  auto before = minute(20, 1);
  before.scenario = "baseline";
  before.target = "http://x/";
  const auto after = minute(30, 2);
  ReportView view;
  add_comparison(after, before, view);
  ASSERT_FALSE(view.comparisons.empty());
  const auto p95 = std::find_if(view.comparisons.begin(), view.comparisons.end(),
                                [](const auto& one) { return one.name.find("p95") != std::string::npos; });
  ASSERT_NE(p95, view.comparisons.end());
  EXPECT_EQ(p95->kind, ReportView::Comparison::Kind::kWorse);
  EXPECT_EQ(p95->change.front(), '+');
  const auto page = html_report(view);
  EXPECT_NE(page.find("Compared with the baseline"), std::string::npos);
  EXPECT_NE(page.find("<span class=\"badge fail\">worse</span>"), std::string::npos);
}

TEST(Comparison, SaysWhyTwoRunsDoNotCompare) {
  auto before = minute(20, 1);
  before.open = true;
  ReportView view;
  add_comparison(minute(20, 2), before, view);
  EXPECT_TRUE(view.comparisons.empty());
  EXPECT_NE(view.comparison_note.find("do not compare"), std::string::npos);
  EXPECT_NE(html_report(view).find("do not compare"), std::string::npos);
}

}  // namespace
}  // namespace securebase::load
