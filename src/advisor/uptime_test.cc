#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/advisor.h"

namespace securebase::advisor {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

constexpr base::TimePoint kMidnight{seconds{1'795'737'600}};

// Canaries that were tried once a `step`, and failed at the end for so long.
class TriedSeries final : public monitoring::Series {
 public:
  struct Tried {
    monitoring::MetricId metric;
    seconds step, since, down;
  };
  std::vector<Tried> all;

  Result<std::vector<monitoring::Point>> read(const monitoring::MetricQuery&) const override {
    return std::vector<monitoring::Point>{};
  }
  Result<std::optional<monitoring::Point>> whole(const monitoring::MetricQuery& query) const override {
    for (const auto& one : all) {
      if (one.metric != query.metric) continue;
      const auto length = std::min<seconds>(one.since, std::chrono::duration_cast<seconds>(query.to - query.from));
      const auto samples = static_cast<std::uint64_t>(length / one.step);
      const auto failed = static_cast<double>(std::min(one.down, length) / one.step);
      return std::optional(monitoring::Point{query.from, 100 * (1 - failed / static_cast<double>(samples)), samples});
    }
    return std::optional<monitoring::Point>{};
  }
  std::vector<monitoring::MetricId> list(const monitoring::MetricFilter&) const override {
    std::vector<monitoring::MetricId> ids;
    for (const auto& one : all) ids.push_back(one.metric);
    return ids;
  }
  std::optional<base::TimePoint> newest(const monitoring::MetricId&) const override { return std::nullopt; }
};

monitoring::MetricId success(std::string canary) {
  return {"CloudWatchSynthetics", "SuccessPercent", {{"CanaryName", std::move(canary)}}};
}

TEST(Uptime, CountsDownTimeAgainstTheWholeWindowsBudget) {
  TriedSeries series;
  series.all = {{success("portal"), seconds{1}, hours{24 * 30}, seconds{648}}};
  const auto budgets = uptime(series, {}, kMidnight, hours{24 * 30}, 99.95);
  ASSERT_THAT(budgets, SizeIs(1));
  EXPECT_EQ(budgets[0].failed, 648u);
  EXPECT_EQ(budgets[0].down, seconds{648});
  EXPECT_NEAR(budgets[0].allowed.count(), 1296, 0.001);  // 21.6 minutes
  EXPECT_NEAR(budgets[0].remaining, 50, 0.01);
  EXPECT_NEAR(*budgets[0].burn_1h, 648.0 / 3600 / 0.0005, 0.1);
}

// By hand: of 30 days, 2,592,000 s, 0.1 % is 2,592 s, 43.2 minutes. 21 failed runs of one a minute are 1,260 s, 48.61 %
// of that. The last hour has 21 failed of 60, 35 %, which is 350 times 0.1 %; six hours 21 of 360, 5.8333 %, 58.3
// times.
TEST(Uptime, OfThreeNinesOverThirtyDaysIsAsReckonedByHand) {
  TriedSeries series;
  series.all = {{success("checkout"), seconds{60}, hours{24 * 30}, seconds{21 * 60}}};
  const auto budgets = uptime(series, {{"checkout", seconds{60}}}, kMidnight, hours{24 * 30}, 99.9);
  ASSERT_THAT(budgets, SizeIs(1));
  EXPECT_EQ(budgets[0].samples, 43'200u);
  EXPECT_EQ(budgets[0].failed, 21u);
  EXPECT_NEAR(budgets[0].availability, 99.951389, 1e-6);
  EXPECT_NEAR(budgets[0].allowed.count(), 2592, 1e-3);
  EXPECT_EQ(budgets[0].down, seconds{1260});
  EXPECT_NEAR(budgets[0].remaining, 51.388889, 1e-5);
  EXPECT_NEAR(*budgets[0].burn_1h, 350, 1e-6);
  EXPECT_NEAR(*budgets[0].burn_6h, 58.333333, 1e-5);
  EXPECT_TRUE(to_json(budgets, kMidnight, hours{24 * 30}, 99.9)["pass"].bool_or(false));
}

// 43 runs are 2,580 s, 44 are 2,640 s: the 44th uses the budget up.
TEST(Uptime, ABudgetIsUsedUpByTheRunThatGoesBeyondIt) {
  for (const auto& [failed, pass] : {std::pair{43, true}, std::pair{44, false}}) {
    TriedSeries series;
    series.all = {{success("checkout"), seconds{60}, hours{24 * 30}, seconds{failed * 60}}};
    const auto budgets = uptime(series, {{"checkout", seconds{60}}}, kMidnight, hours{24 * 30}, 99.9);
    EXPECT_EQ(to_json(budgets, kMidnight, hours{24 * 30}, 99.9)["pass"].bool_or(!pass), pass) << failed;
  }
}

TEST(Uptime, OfAYoungPlatformIsNotHalfABudget) {
  TriedSeries series;
  series.all = {{success("portal"), seconds{1}, hours{1}, seconds{36}}};
  const auto budgets = uptime(series, {}, kMidnight, hours{24 * 30}, 99.95);
  EXPECT_NEAR(budgets[0].availability, 99, 0.001);
  EXPECT_NEAR(budgets[0].remaining, 100 * (1 - 36.0 / 1296), 0.01);
}

TEST(Uptime, WeighsAFailedRunByItsInterval) {
  TriedSeries series;
  series.all = {{success("checkout"), seconds{300}, hours{24 * 30}, seconds{1500}}};
  const auto budgets = uptime(series, {{"checkout", seconds{300}}}, kMidnight, hours{24 * 30}, 99.95);
  EXPECT_EQ(budgets[0].failed, 5u);
  EXPECT_EQ(budgets[0].down, seconds{1500});
  EXPECT_LT(budgets[0].remaining, 0);
  EXPECT_FALSE(to_json(budgets, kMidnight, hours{24 * 30}, 99.95)["pass"].bool_or(true));
}

TEST(Uptime, LeavesOutSteps) {
  TriedSeries series;
  auto step = success("checkout");
  step.dimensions.emplace_back("StepName", "pay");
  series.all = {{step, seconds{60}, hours{1}, seconds{0}}};
  EXPECT_THAT(uptime(series, {}, kMidnight, hours{24}, 99.95), SizeIs(0));
}

TEST(Uptime, IsShownWithItsBudget) {
  TriedSeries series;
  series.all = {{success("portal"), seconds{1}, hours{24 * 30}, seconds{648}}};
  const auto text = render(uptime(series, {}, kMidnight, hours{24 * 30}, 99.95), hours{24 * 30}, 99.95);
  EXPECT_THAT(text, HasSubstr("objective 99.95 % of 720.0 h: 21.6 min may be down"));
  EXPECT_THAT(text, HasSubstr("99.975 %"));
  EXPECT_THAT(text, HasSubstr("50.0 %"));
  EXPECT_THAT(render(std::vector<Budget>{}, hours{1}, 99.95), HasSubstr("No canary"));
}

}  // namespace
}  // namespace securebase::advisor
