#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "monitoring/alarms/extensions.h"
#include "monitoring/alarms/rule.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool holds(std::string_view text, const std::set<std::string>& in_alarm) {
  const auto rule = Rule::parse(text);
  EXPECT_TRUE(rule) << text << ": " << rule.error().message;
  return rule && rule->holds([&](const std::string& name) -> std::optional<AlarmState> {
    if (name == "gone") return std::nullopt;
    return in_alarm.contains(name) ? AlarmState::kAlarm : AlarmState::kOk;
  });
}

TEST(Rule, IsTrueAsItSays) {
  EXPECT_TRUE(holds("ALARM(a) AND NOT ALARM(b)", {"a"}));
  EXPECT_FALSE(holds("ALARM(a) AND NOT ALARM(b)", {"a", "b"}));
  EXPECT_TRUE(holds("ALARM(a) OR ALARM(b) AND ALARM(c)", {"a"})) << "AND binds closer";
  EXPECT_FALSE(holds("(ALARM(a) OR ALARM(b)) AND ALARM(c)", {"a"}));
  EXPECT_TRUE(holds("ALARM(\"two words\")", {"two words"}));
  EXPECT_TRUE(holds("ALARM('arn:aws:cloudwatch:us-east-1:123456789012:alarm:a')", {"a"}));
  EXPECT_TRUE(holds("TRUE AND NOT FALSE", {}));
  EXPECT_FALSE(holds("ALARM(gone) OR OK(gone)", {}));
  EXPECT_TRUE(holds("AT_LEAST(2, ALARM, (a, b, c))", {"a", "c"}));
  EXPECT_FALSE(holds("AT_LEAST(2, ALARM, (a, b, c))", {"a"}));
  EXPECT_TRUE(holds("AT_LEAST(50%, ALARM, (a, b, c, d))", {"a", "c"}));
  EXPECT_FALSE(holds("AT_LEAST(50%, ALARM, (a, b, c, d))", {"a"}));
  EXPECT_TRUE(holds("AT_LEAST(1, NOT OK, (a, b))", {"a"}));
}

TEST(Rule, NamesItsChildrenOnce) {
  EXPECT_THAT(Rule::parse("ALARM(b) OR OK(a) OR AT_LEAST(1, ALARM, (b, c))")->names(), ElementsAre("a", "b", "c"));
}

TEST(Rule, SaysWhatIsWrong) {
  const auto problem = [](std::string_view text) {
    const auto rule = Rule::parse(text);
    return rule ? std::string() : rule.error().message;
  };
  EXPECT_THAT(problem("ALARM"), HasSubstr("expected ( after ALARM"));
  EXPECT_THAT(problem("ALARM(a) XOR ALARM(b)"), HasSubstr("position 9: expected AND, OR or the end"));
  EXPECT_THAT(problem("ALARM()"), HasSubstr("expected the name of an alarm"));
  EXPECT_THAT(problem(""), HasSubstr("expected ALARM(name)"));
  EXPECT_THAT(problem("AT_LEAST(3, ALARM, (a, b))"), HasSubstr("at least 3 of 2"));
  EXPECT_THAT(problem(std::string(100, '(')), HasSubstr("nested deeper"));
}

TEST(Extensions, AreReadFromTags) {
  const auto read = extensions_from({{"securebase:recovery-threshold", "80"},
                                     {"securebase:hold", "5m"},
                                     {"securebase:reminder", "30m"},
                                     {"securebase:flapping", "4 in 1h"},
                                     {"securebase:incident", "checkout"},
                                     {"securebase:settling", "30s"},
                                     {"securebase:id", "E1"},
                                     {"Team", "x"}});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->recovery_threshold, 80);
  EXPECT_EQ(read->hold, 5min);
  EXPECT_EQ(read->flapping_changes, 4);
  EXPECT_EQ(read->flapping_within, 1h);
  EXPECT_EQ(read->settling, 30s);
  for (const auto& [key, value] : {std::pair{"hold", "soon"},
                                   {"flapping", "4"},
                                   {"maintenance", "sometimes"},
                                   {"objective", "100"},
                                   {"burn-rate", "14.4x 1h 5m"},
                                   {"hlod", "5m"},
                                   {"maintenance", "mon 25:00-26:00"}}) {
    EXPECT_FALSE(extensions_from({{std::string("securebase:") + key, value}})) << key;
  }
}

TEST(Extensions, KnowMaintenanceWindows) {
  const auto at = [](int day, int hour, int minute) {  // of November 2026: the 23rd is a Monday
    return base::TimePoint(std::chrono::sys_days(std::chrono::year{2026} / 11 / day)) + std::chrono::hours(hour) +
           std::chrono::minutes(minute);
  };
  auto read = *extensions_from({{"securebase:maintenance", "sat-sun 02:00-04:00 / daily 23:30-00:30"}});
  EXPECT_TRUE(read.in_maintenance(at(28, 3, 0)));
  EXPECT_FALSE(read.in_maintenance(at(27, 3, 0)));
  EXPECT_FALSE(read.in_maintenance(at(28, 4, 0)));
  EXPECT_TRUE(read.in_maintenance(at(23, 23, 45)));
  EXPECT_TRUE(read.in_maintenance(at(24, 0, 15)));
  EXPECT_FALSE(read.in_maintenance(at(24, 0, 30)));
  read = *extensions_from({{"securebase:maintenance", "2026-11-28T02:00Z to 2026-11-28T04:00Z"}});
  EXPECT_TRUE(read.in_maintenance(at(28, 2, 0)));
  EXPECT_FALSE(read.in_maintenance(at(28, 4, 0)));
}

}  // namespace
}  // namespace securebase::monitoring
