#include <gtest/gtest.h>

#include <cmath>

#include "load/scenarios/endurance.h"

namespace securebase::load {
namespace {

std::vector<Level> levels(double an_hour, double noise, double hours) {
  std::vector<Level> list;
  std::uint64_t random = 1;
  for (int i = 0; i < 600; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double part = static_cast<double>(random >> 11) * 0x1.0p-53 - 0.5;
    const double at = hours * i / 600;
    list.push_back({at, 100 + an_hour * at + noise * part});
  }
  return list;
}

TEST(TestLevel, TellsALeakFromNoise) {
  EXPECT_EQ(test_level("memory", "MB", levels(5, 3, 1)).verdict, Verdict::kFail);
  EXPECT_EQ(test_level("memory", "MB", levels(0, 3, 10)).verdict, Verdict::kPass);
  // Too noisy to see what would matter.
  EXPECT_EQ(test_level("memory", "MB", levels(0, 80, 0.05)).verdict, Verdict::kInsufficient);
  // Grows for sure, but by 2 % in a day.
  EXPECT_EQ(test_level("memory", "MB", levels(2.0 / 24, 0.01, 1)).verdict, Verdict::kPass);
  EXPECT_EQ(test_level("memory", "MB", {}).verdict, Verdict::kInsufficient);
}

TEST(TestLevel, DoesNotTakeHalfAMinuteForADay) {
  // Three thousandths in 30 s: nine hundred per cent in a day, if a start went on for a day.
  EXPECT_EQ(test_level("memory", "MB", levels(36, 0.01, 30.0 / 3600)).verdict, Verdict::kInsufficient);
  // A twelfth in 30 s, as a platform does that has just started; in ten minutes it is a leak.
  EXPECT_EQ(test_level("memory", "MB", levels(1000, 0.5, 30.0 / 3600)).verdict, Verdict::kInsufficient);
  EXPECT_EQ(test_level("memory", "MB", levels(50, 0.5, 0.25)).verdict, Verdict::kFail);
  // What grows to five times itself in a minute needs no ten.
  EXPECT_EQ(test_level("memory", "MB", levels(24000, 5, 60.0 / 3600)).verdict, Verdict::kFail);
}

TEST(TestLatency, FailsWhenItGrewAndNotForWhatItMightDo) {
  EXPECT_EQ(test_latency(levels(0, 30, 0.1)).verdict, Verdict::kPass);
  EXPECT_EQ(test_latency(levels(30, 10, 1)).verdict, Verdict::kFail);
}

TEST(TestLevel, DoesNotTakeAFillingCacheForALeak) {
  std::vector<Level> list;
  for (int i = 0; i < 400; ++i) list.push_back({i / 400.0, 100 + 50 * (1 - std::exp(-i / 15.0))});
  EXPECT_EQ(test_level("memory", "MB", list).verdict, Verdict::kPass);
}

TEST(TestLevel, WaitsForTheLaterHalf) {
  // It filled in the first half of what is looked at, and not since.
  std::vector<Level> list;
  for (int i = 0; i < 600; ++i) list.push_back({i / 600.0, 100 + 40 * std::min(1.0, i / 330.0) + 0.1 * (i % 3)});
  EXPECT_EQ(test_level("memory", "MB", list).verdict, Verdict::kInsufficient);
}

}  // namespace
}  // namespace securebase::load
