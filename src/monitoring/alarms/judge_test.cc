#include <gtest/gtest.h>

#include "monitoring/alarms/judge.h"
#include "monitoring/alarms/text.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;

// "0-X-X": oldest on the left, X breaches, 0 does not, - is missing.
std::vector<JudgedPeriod> slots_of(std::string_view row) {
  std::vector<JudgedPeriod> slots(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    slots[i].mark = row[i] == 'X' ? Mark::kBreaching : row[i] == '0' ? Mark::kGood : Mark::kMissing;
    slots[i].value = row[i] == 'X' ? 9 : 1;
    slots[i].start = base::TimePoint{1'700'000'040s} + 60s * static_cast<int>(i);
    slots[i].lower = slots[i].upper = 5;
  }
  return slots;
}

constexpr auto kKeep = std::nullopt;
constexpr std::optional kOk = AlarmState::kOk;
constexpr std::optional kAlarm = AlarmState::kAlarm;
constexpr std::optional kInsufficient = AlarmState::kInsufficientData;
using Expected = std::optional<AlarmState>;

void expect_row(std::string_view row, int m, Expected missing, Expected ignore, Expected breaching,
                Expected not_breaching) {
  const auto slots = slots_of(row);
  EXPECT_EQ(judge(slots, 3, m, MissingData::kMissing).state, missing) << row << " missing";
  EXPECT_EQ(judge(slots, 3, m, MissingData::kIgnore).state, ignore) << row << " ignore";
  EXPECT_EQ(judge(slots, 3, m, MissingData::kBreaching).state, breaching) << row << " breaching";
  EXPECT_EQ(judge(slots, 3, m, MissingData::kNotBreaching).state, not_breaching) << row << " notBreaching";
}

// CloudWatch user guide, "How alarm state is evaluated when data is missing", first table: 3 out of 3.
TEST(MissingDataTables, ThreeOutOfThree) {
  expect_row("0-X-X", 3, kOk, kOk, kOk, kOk);
  expect_row("0----", 3, kOk, kOk, kOk, kOk);
  expect_row("-----", 3, kInsufficient, kKeep, kAlarm, kOk);
  expect_row("0XX-X", 3, kAlarm, kAlarm, kAlarm, kAlarm);
  expect_row("--X--", 3, kAlarm, kKeep, kAlarm, kOk);
}

// The second table: 2 out of 3.
TEST(MissingDataTables, TwoOutOfThree) {
  expect_row("0-X-X", 2, kAlarm, kAlarm, kAlarm, kAlarm);
  expect_row("00X0X", 2, kAlarm, kAlarm, kAlarm, kAlarm);
  expect_row("0-X--", 2, kOk, kOk, kAlarm, kOk);
  expect_row("----0", 2, kOk, kOk, kAlarm, kOk);
  expect_row("---X-", 2, kAlarm, kKeep, kAlarm, kOk);
}

TEST(Judge, WaitsForTheNextPointWhereOneBreachIsTooYoung) {
  EXPECT_EQ(judge(slots_of("----X"), 3, 3, MissingData::kMissing).state, kKeep);
  EXPECT_EQ(judge(slots_of("---X-"), 3, 3, MissingData::kMissing).state, kKeep);
}

TEST(Judge, ComparesAsItsOperatorSays) {
  EXPECT_TRUE(breaches(Comparison::kGreaterThanOrEqualToThreshold, 5, 5, 5));
  EXPECT_FALSE(breaches(Comparison::kGreaterThanThreshold, 5, 5, 5));
  EXPECT_TRUE(breaches(Comparison::kLessThanOrEqualToThreshold, 5, 5, 5));
  EXPECT_FALSE(breaches(Comparison::kLessThanThreshold, 5, 5, 5));
  EXPECT_TRUE(breaches(Comparison::kLessThanLowerOrGreaterThanUpperThreshold, 1, 2, 8));
  EXPECT_TRUE(breaches(Comparison::kLessThanLowerOrGreaterThanUpperThreshold, 9, 2, 8));
  EXPECT_FALSE(breaches(Comparison::kLessThanLowerThreshold, 9, 2, 8));
  EXPECT_TRUE(breaches(Comparison::kGreaterThanUpperThreshold, 9, 2, 8));
}

TEST(Judge, KnowsHowManySamplesAPercentileNeeds) {
  EXPECT_NEAR(*samples_needed("p95"), 200, 1e-6);
  EXPECT_NEAR(*samples_needed("p99"), 1000, 1e-6);
  EXPECT_NEAR(*samples_needed("p10"), 100, 1e-6);
  EXPECT_EQ(samples_needed("Average"), std::nullopt);
  EXPECT_EQ(samples_needed("PR(:300)"), std::nullopt);
}

MetricRule rule_of(int n, int m, MissingData missing = MissingData::kMissing) {
  MetricRule rule;
  rule.metric = MetricStat{{"N", "m", {}}, 60s, "Average", std::nullopt};
  rule.evaluation_periods = n;
  rule.datapoints_to_alarm = m;
  rule.threshold = 5;
  rule.missing = missing;
  return rule;
}

std::string text_for(std::string_view row, int n, int m, MissingData missing) {
  const auto slots = slots_of(row);
  const auto judgement = judge(slots, n, m, missing);
  return reason_of(rule_of(n, m, missing), 60s, slots, judgement, *judgement.state, 5, base::TimePoint{1'700'000'400s})
      .text;
}

TEST(Reasons, AreCloudWatchsWords) {
  EXPECT_EQ(text_for("000XX", 3, 2, MissingData::kMissing),
            "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (14/11/23 22:18:00), 9.0 (14/11/23 22:17:00)] were "
            "greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).");
  EXPECT_EQ(
      text_for("00X", 1, 1, MissingData::kMissing),
      "Threshold Crossed: 1 out of the last 1 datapoints [9.0 (14/11/23 22:16:00)] was greater than the threshold "
      "(5.0) (minimum 1 datapoint for OK -> ALARM transition).");
  EXPECT_EQ(text_for("XX0", 1, 1, MissingData::kMissing),
            "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (14/11/23 22:16:00)] was not greater than the "
            "threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).");
  EXPECT_EQ(text_for("---", 1, 1, MissingData::kNotBreaching),
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
            "[NonBreaching].");
  EXPECT_EQ(text_for("-----", 3, 3, MissingData::kMissing), "Insufficient Data: 3 datapoints were unknown.");
}

TEST(Reasons, HaveTheirData) {
  const auto slots = slots_of("000XX");
  const auto judgement = judge(slots, 3, 2, MissingData::kMissing);
  const auto reason =
      reason_of(rule_of(3, 2), 60s, slots, judgement, AlarmState::kAlarm, 5, base::TimePoint{1'700'000'400s});
  EXPECT_EQ(
      reason.data,
      R"({"version":"1.0","queryDate":"2023-11-14T22:20:00.000+0000","startDate":"2023-11-14T22:16:00.000+0000",)"
      R"("statistic":"Average","period":60,"recentDatapoints":[1.0,9.0,9.0],"threshold":5.0,"evaluatedDatapoints":[)"
      R"({"timestamp":"2023-11-14T22:18:00.000+0000","value":9.0},{"timestamp":"2023-11-14T22:17:00.000+0000",)"
      R"("value":9.0},{"timestamp":"2023-11-14T22:16:00.000+0000","value":1.0}]})");
}

TEST(Texts, PrintNumbersAndTimesAsCloudWatch) {
  EXPECT_EQ(java_double(131), "131.0");
  EXPECT_EQ(java_double(0.1), "0.1");
  EXPECT_EQ(java_double(12345678), "1.2345678E7");
  EXPECT_EQ(java_double(0.00001), "1.0E-5");
  EXPECT_EQ(java_double(-118.4), "-118.4");
  EXPECT_EQ(long_time(base::TimePoint{1'700'000'040s}), "Tuesday 14 November, 2023 22:14:00 UTC");
  EXPECT_EQ(cut("aä", 2), "a");
}

}  // namespace
}  // namespace securebase::monitoring
