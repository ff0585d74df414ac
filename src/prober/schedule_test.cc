#include "prober/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace securebase::prober {
namespace {

using std::chrono::seconds;

// 2026-11-27T00:00:00Z, a Friday.
constexpr base::TimePoint kFriday{seconds{1'795'737'600}};

std::string next_of(std::string_view expression, base::TimePoint after = kFriday) {
  const auto schedule = Schedule::parse(expression);
  if (!schedule) return schedule.error().message;
  const auto next = schedule->next(after);
  return next ? base::iso8601(*next) : "never";
}

TEST(Schedule, OfARateIsItsWholeMultiples) {
  EXPECT_EQ(next_of("rate(1 minute)"), "2026-11-27T00:01:00Z");
  EXPECT_EQ(next_of("rate(5 minutes)", kFriday + seconds{299}), "2026-11-27T00:05:00Z");
  EXPECT_EQ(next_of("rate(5 minutes)", kFriday + seconds{300}), "2026-11-27T00:10:00Z");
  EXPECT_EQ(next_of("rate(1 hour)"), "2026-11-27T01:00:00Z");
  EXPECT_EQ(next_of("rate(10 seconds)"), "2026-11-27T00:00:10Z");
  EXPECT_EQ(Schedule::parse("rate(5 minutes)")->interval(kFriday), seconds{300});
}

TEST(Schedule, OfRateZeroIsOnce) {
  EXPECT_TRUE(Schedule::parse("rate(0 minute)")->runs_once());
  EXPECT_EQ(next_of("rate(0 minute)"), "never");
}

TEST(Schedule, OfCronIsEveryMomentThatFits) {
  EXPECT_EQ(next_of("cron(0/10 * * * ? *)"), "2026-11-27T00:10:00Z");
  EXPECT_EQ(next_of("cron(30 8 ? * MON-FRI *)"), "2026-11-27T08:30:00Z");
  EXPECT_EQ(next_of("cron(30 8 ? * MON *)"), "2026-11-30T08:30:00Z");
  EXPECT_EQ(next_of("cron(30 8 ? * 2 *)"), "2026-11-30T08:30:00Z") << "1 is Sunday";
  EXPECT_EQ(next_of("cron(0 0 1 JAN,jul ? *)"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(next_of("cron(15,45 23 31 12 ? 2026)"), "2026-12-31T23:15:00Z");
  EXPECT_EQ(next_of("cron(0 0 29 2 ? *)"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(next_of("cron(0 0 1 1 ? 2020)"), "never");
  EXPECT_EQ(Schedule::parse("cron(0/10 * * * ? *)")->interval(kFriday), seconds{600});
}

TEST(Schedule, SaysWhatItIsInsteadOfGuessing) {
  for (const auto* text : {"", "5 minutes", "rate(5)", "rate(five minutes)", "rate(-1 minutes)", "rate(2 days)",
                           "rate(61 minutes)", "cron(* * * * * *)", "cron(* * ? * ? *)", "cron(0 0 * * ?)",
                           "cron(60 * * * ? *)", "cron(5-1 * * * ? *)", "cron(0/0 * * * ? *)", "cron(0 0 L * ? *)",
                           "cron(0 0 ? * MON#1 *)", "cron(0 0 ? * MOON *)", "cron(, * * * ? *)"}) {
    const auto schedule = Schedule::parse(text);
    ASSERT_FALSE(schedule) << text;
    EXPECT_THAT(schedule.error().message, testing::HasSubstr("a schedule is")) << text;
  }
}

}  // namespace
}  // namespace securebase::prober
