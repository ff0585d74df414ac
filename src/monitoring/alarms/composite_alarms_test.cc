// Alarms over alarms, and suppressors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitoring/alarms/alarms_fixture.h"

namespace securebase::monitoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AlarmsTest, CompositesFollowTheirChildrenAndRefuseCycles) {
  put(definition("a"));
  put(definition("b"));
  put(composite("c", "ALARM(a) AND ALARM(b)"));
  put(composite("d", "NOT ALARM(c)"));
  EXPECT_EQ(state("c"), AlarmState::kOk);
  EXPECT_EQ(state("d"), AlarmState::kAlarm);
  minute(200);
  EXPECT_EQ(state("c"), AlarmState::kAlarm);
  EXPECT_EQ(state("d"), AlarmState::kOk);
  EXPECT_THAT(
      alarms_->find("c")->status.reason,
      HasSubstr(
          "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a transitioned to ALARM at Tuesday 14 November, 2023"));
  const auto cycle = alarms_->put(composite("c", "ALARM(d)"));
  ASSERT_FALSE(cycle);
  EXPECT_EQ(cycle.error().code, Errc::kConflict);
  const auto unknown = alarms_->put(composite("e", "ALARM(nope)"));
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("nope"));
  EXPECT_EQ(alarms_->remove({"a"}).error().code, Errc::kConflict);
  EXPECT_TRUE(alarms_->remove({"a", "b", "c", "d"}));
  EXPECT_THAT(alarms_->list({}), IsEmpty());
}

TEST_F(AlarmsTest, ASuppressorHoldsActionsBackForItsTime) {
  auto child = definition("a");
  child.alarm_actions = child.ok_actions = {};
  put(child);
  auto suppressor = definition("s");
  suppressor.alarm_actions = suppressor.ok_actions = {};
  std::get<MetricRule>(suppressor.rule).metric->metric.name = "deploys";
  std::get<MetricRule>(suppressor.rule).missing = MissingData::kIgnore;
  put(suppressor);
  auto made = composite("c", "ALARM(a)");
  made.rule = CompositeRule{"ALARM(a)", "s", 120s, 60s};
  made.ok_actions = {};
  put(made);
  told();
  minute(200);
  EXPECT_EQ(state("c"), AlarmState::kAlarm);
  EXPECT_EQ(alarms_->find("c")->status.suppressed_by, "WaitPeriod");
  ASSERT_TRUE(alarms_->set_state("s", AlarmState::kAlarm, "a deploy", ""));
  minute(200);
  EXPECT_EQ(alarms_->find("c")->status.suppressed_by, "Alarm");
  minute(200);
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(alarms_->set_state("s", AlarmState::kOk, "done", ""));
  clock_.advance(30s);
  alarms_->evaluate();
  EXPECT_EQ(alarms_->find("c")->status.suppressed_by, "ExtensionPeriod");
  clock_.advance(31s);
  alarms_->evaluate();
  alarms_->deliver();
  EXPECT_THAT(told(), ElementsAre("ALARM: \"c\" in US East (N. Virginia)"));
}

// The time until which a suppressor was in ALARM is not on disk; that it was, is.
TEST_F(AlarmsTest, AnExtensionIsCountedFromARestartInWhichTheSuppressorStillBurnt) {
  auto child = definition("a");
  child.alarm_actions = child.ok_actions = {};
  put(child);
  auto suppressor = definition("s");
  suppressor.alarm_actions = suppressor.ok_actions = {};
  std::get<MetricRule>(suppressor.rule).metric->metric.name = "deploys";
  std::get<MetricRule>(suppressor.rule).missing = MissingData::kIgnore;
  put(suppressor);
  ASSERT_TRUE(alarms_->set_state("s", AlarmState::kAlarm, "a deploy", ""));
  auto made = composite("c", "ALARM(a)");
  made.rule = CompositeRule{"ALARM(a)", "s", 60s, 120s};
  made.ok_actions = {};
  put(made);
  minute(1);
  told();
  for (int i = 0; i < 10; ++i) minute(1);
  reopen();
  alarms_->evaluate();
  EXPECT_EQ(alarms_->find("c")->status.suppressed_by, "Alarm") << "said again after a restart";
  reopen();
  ASSERT_TRUE(alarms_->set_state("s", AlarmState::kOk, "done", ""));
  minute(200);
  EXPECT_EQ(state("c"), AlarmState::kAlarm);
  EXPECT_EQ(alarms_->find("c")->status.suppressed_by, "ExtensionPeriod");
  EXPECT_THAT(told(), IsEmpty());
  minute(200);
  EXPECT_THAT(told(), ElementsAre("ALARM: \"c\" in US East (N. Virginia)"));
}

TEST_F(AlarmsTest, ACompositeThatHoldsLeavesAlarmWithNoChildThatChanges) {
  put(definition("a"));
  auto made = composite("c", "ALARM(a)");
  made.tags["securebase:hold"] = "5m";
  put(made);
  minute(200);
  ASSERT_EQ(state("c"), AlarmState::kAlarm);
  minute(1);
  ASSERT_EQ(state("a"), AlarmState::kOk);
  for (int i = 0; i < 4; ++i) minute(1);
  EXPECT_EQ(state("c"), AlarmState::kAlarm);
  minute(1);
  EXPECT_EQ(state("c"), AlarmState::kOk);
  minute(200);
  minute(1);
  reopen();
  for (int i = 0; i < 6; ++i) minute(1);
  EXPECT_EQ(state("c"), AlarmState::kOk) << "a restart begins the hold anew, and does not keep it for ever";
}

}  // namespace
}  // namespace securebase::monitoring
