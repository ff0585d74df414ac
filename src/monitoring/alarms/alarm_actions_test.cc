// Whom an alarm tells and when: retries, reminders, flapping, maintenance windows, incidents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitoring/alarms/alarms_fixture.h"

namespace securebase::monitoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(AlarmsTest, TryAgainAndGiveUpOnWhatCannotBe) {
  put(definition("a"));
  sink_.failure = Error{Errc::kUnavailable, "down"};
  minute(200);
  EXPECT_EQ(alarms_->counts().due_actions, 1U);
  EXPECT_EQ(alarms_->deliver(), 0U);
  sink_.failure.reset();
  clock_.advance(10s);
  EXPECT_EQ(alarms_->deliver(), 1U);
  sink_.failure = Error{Errc::kNotFound, "no topic alerts"};
  minute(1);
  EXPECT_EQ(alarms_->counts().due_actions, 0U);
  EXPECT_THAT(alarms_->history({.kind = {}, .from = {}, .to = {}})[0].summary,
              HasSubstr("Failed to execute action " + kAlarmTopic));
}

TEST_F(AlarmsTest, HoldAndRemind) {
  auto made = definition("a");
  made.tags["securebase:hold"] = "3m";
  made.tags["securebase:reminder"] = "5m";
  put(made);
  minute(120);
  told();
  for (int i = 0; i < 3; ++i) minute(1);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  minute(120);
  for (int i = 0; i < 3; ++i) minute(1);
  EXPECT_EQ(state("a"), AlarmState::kAlarm) << "a breach begins the hold anew";
  EXPECT_THAT(told(), ElementsAre("STILL IN ALARM: \"a\" in US East (N. Virginia)"));
  minute(1);
  EXPECT_EQ(state("a"), AlarmState::kOk);
}

TEST_F(AlarmsTest, TellOfFlappingOnce) {
  auto made = definition("a");
  made.tags["securebase:flapping"] = "4 in 30m";
  put(made);
  minute(1);
  for (int i = 0; i < 8; ++i) minute(i % 2 == 0 ? 200 : 1);
  const auto subjects = told();
  EXPECT_EQ(
      std::count_if(subjects.begin(), subjects.end(), [](const auto& text) { return text.starts_with("FLAPPING"); }),
      1);
  EXPECT_EQ(subjects.size(), 5U) << "four changes, then one message";
  EXPECT_EQ(alarms_->find("a")->status.suppressed_by, "Flapping");
  for (int i = 0; i < 40; ++i) minute(1);
  EXPECT_THAT(told(), ElementsAre("OK: \"a\" in US East (N. Virginia)"));
}

TEST_F(AlarmsTest, WaitForTheEndOfAMaintenanceWindow) {
  auto made = definition("a");
  made.tags["securebase:maintenance"] = "daily 22:14-22:20";
  put(made);
  minute(200);
  minute(1);
  minute(200);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  EXPECT_THAT(told(), IsEmpty());
  for (int i = 0; i < 4; ++i) minute(200);
  EXPECT_THAT(told(), ElementsAre("ALARM: \"a\" in US East (N. Virginia)")) << "what still is so when the window ends";
}

TEST_F(AlarmsTest, OfOneIncidentTellWhenItOpensAndWhenItEnds) {
  for (const char* name : {"a", "b", "c"}) {
    auto made = definition(name);
    made.tags["securebase:incident"] = "checkout";
    put(made);
  }
  minute(200);
  EXPECT_THAT(told(), SizeIs(1));
  minute(1);
  EXPECT_THAT(told(), SizeIs(1));
}

// An incident that nobody can end would swallow all that is told of the next one.
TEST_F(AlarmsTest, OfOneIncidentEndItWhateverKeepsThemSilent) {
  auto made = definition("a");
  made.tags["securebase:incident"] = "checkout";
  put(made);
  minute(200);
  EXPECT_THAT(told(), SizeIs(1));
  ASSERT_TRUE(alarms_->enable_actions({"a"}, false));
  minute(1);
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(alarms_->enable_actions({"a"}, true));
  minute(200);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("ALARM: \"a\""))) << "a new incident";
  ASSERT_TRUE(alarms_->tag("a", {{"securebase:incident", "payment"}}));
  auto other = definition("b");
  other.tags["securebase:incident"] = "checkout";
  put(other);
  alarms_->evaluate();
  alarms_->deliver();
  EXPECT_THAT(told(), ElementsAre(HasSubstr("ALARM: \"b\""))) << "the first one's is another incident now";
  minute(1);
  EXPECT_THAT(told(), SizeIs(2)) << "two incidents end";
}

TEST_F(AlarmsTest, OfOneIncidentEndItAfterFlapping) {
  auto made = definition("a");
  made.tags["securebase:incident"] = "checkout";
  made.tags["securebase:flapping"] = "2 in 10m";
  put(made);
  for (const double value : {200, 1, 200, 1}) minute(value);
  EXPECT_THAT(told(), Not(IsEmpty()));
  for (int i = 0; i < 12; ++i) minute(1);
  EXPECT_THAT(told(), SizeIs(1)) << "calm, and well";
  minute(200);
  EXPECT_THAT(told(), ElementsAre(HasSubstr("ALARM: \"a\""))) << "a new incident";
}

TEST_F(AlarmsTest, SayNoLongerThanItHoldsWhatWithholdsThem) {
  auto made = definition("a");
  made.tags["securebase:maintenance"] = "daily 22:14-22:20";
  put(made);
  minute(1);
  minute(200);
  minute(1);
  EXPECT_EQ(alarms_->find("a")->status.suppressed_by, "MaintenanceWindow");
  for (int i = 0; i < 5; ++i) minute(1);
  EXPECT_EQ(alarms_->find("a")->status.suppressed_by, "") << "though nothing was left to be told";
}

TEST_F(AlarmsTest, DoNothingWhileActionsAreDisabled) {
  put(definition("a"));
  ASSERT_TRUE(alarms_->enable_actions({"a"}, false));
  minute(200);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  EXPECT_THAT(told(), IsEmpty());
  ASSERT_TRUE(alarms_->enable_actions({"a"}, true));
  minute(200);
  EXPECT_THAT(told(), IsEmpty()) << "only changes are told of";
}

}  // namespace
}  // namespace securebase::monitoring
