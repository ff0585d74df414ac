#include "load/engine/schedule.h"

#include <gtest/gtest.h>

#include <map>

namespace securebase::load {
namespace {

using namespace std::chrono_literals;

Phase rate(std::chrono::nanoseconds duration, double from, std::optional<double> to = std::nullopt) {
  Phase phase;
  phase.duration = duration;
  phase.rate = from;
  phase.ramp_to = to;
  return phase;
}

std::vector<Arrival> all(Schedule schedule) {
  std::vector<Arrival> arrivals;
  while (auto arrival = schedule.next()) arrivals.push_back(*arrival);
  return arrivals;
}

std::vector<Arrival> all(std::vector<Phase> phases, Schedule::Share share = {}) {
  auto schedule = Schedule::make(std::move(phases), share);
  EXPECT_TRUE(schedule);
  return all(std::move(*schedule));
}

TEST(Schedule, SpreadsAConstantRateEvenly) {
  const auto arrivals = all({rate(60s, 10)});
  ASSERT_EQ(arrivals.size(), 600u);
  EXPECT_EQ(arrivals[0].at, 0s);
  EXPECT_NEAR(static_cast<double>(arrivals[599].at.count()), 59.9e9, 1e3);
}

TEST(Schedule, TakesRatesBelowOneASecond) {
  const auto arrivals = all({rate(10s, 0.25)});
  ASSERT_EQ(arrivals.size(), 3u);
  EXPECT_EQ(arrivals[2].at, 8s);
}

TEST(Schedule, RampsInStepsOfASecondThatIncludeBothEnds) {
  std::map<std::int64_t, int> a_second;
  for (const auto& arrival : all({rate(5s, 10, 50)})) ++a_second[arrival.at / 1s];
  EXPECT_EQ(a_second, (std::map<std::int64_t, int>{{0, 10}, {1, 20}, {2, 30}, {3, 40}, {4, 50}}));
  a_second.clear();
  for (const auto& arrival : all({rate(3s, 2, 0)})) ++a_second[arrival.at / 1s];
  EXPECT_EQ(a_second, (std::map<std::int64_t, int>{{0, 2}, {1, 1}}));
}

TEST(Schedule, GivesExactlySoManyArrivalsAsAPhaseCounts) {
  Phase count;
  count.kind = Phase::Kind::kCount;
  count.duration = 10s;
  count.count = 4;
  const auto arrivals = all({count});
  ASSERT_EQ(arrivals.size(), 4u);
  EXPECT_EQ(arrivals[3].at, 7500ms);
  count.duration = 0s;
  EXPECT_EQ(all({count}).back().at, 0s);
}

TEST(Schedule, WalksItsPhasesInOrderAndWaitsThroughPauses) {
  Phase pause;
  pause.kind = Phase::Kind::kPause;
  pause.duration = 5s;
  auto schedule = Schedule::make({rate(1s, 2), pause, rate(1s, 1)});
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->duration(), 7s);
  const auto arrivals = all(std::move(*schedule));
  ASSERT_EQ(arrivals.size(), 3u);
  EXPECT_EQ(arrivals[2].at, 6s);
  EXPECT_EQ(arrivals[2].phase, 2u);
  EXPECT_EQ(arrivals[2].number, 2u);
}

TEST(Schedule, SharesMakeTheWholeWithoutGapsOrDoubles) {
  const std::vector<Phase> phases = {rate(7s, 3, 20), rate(2s, 11)};
  const auto whole = all(phases);
  std::map<std::uint64_t, std::chrono::nanoseconds> together;
  for (std::uint64_t i = 0; i < 3; ++i) {
    Schedule::Share share;
    share.index = i;
    share.of = 3;
    for (const auto& arrival : all(phases, share)) EXPECT_TRUE(together.emplace(arrival.number, arrival.at).second);
  }
  ASSERT_EQ(together.size(), whole.size());
  for (const auto& arrival : whole) EXPECT_EQ(together.at(arrival.number), arrival.at);
}

TEST(Grouping, LeavesEveryArrivalItsOwnTimeUpTo2000ASecond) {
  for (const double per_second : {0.5, 200.0, 1999.0, 2000.0}) {
    Grouping grouping;
    for (const auto& arrival : all({rate(4s, per_second)})) {
      // Times of a schedule are rounded to nanoseconds.
      EXPECT_NEAR(static_cast<double>((arrival.at - grouping.due(arrival.at)).count()), 0, 1) << per_second;
    }
  }
}

TEST(Grouping, SendsBeforeTheTimeNeverAfterItAndKeepsTheRate) {
  for (const auto& phases :
       {std::vector{rate(2s, 10'000)}, std::vector{rate(2s, 3'001)}, std::vector{rate(4s, 10, 50'000)}}) {
    Grouping grouping;
    std::map<std::chrono::nanoseconds, std::chrono::nanoseconds> groups;  // by time due: the last arrival
    std::map<std::int64_t, int> scheduled_a_second;
    std::map<std::int64_t, int> due_a_second;
    double early_ns = 0;
    const auto arrivals = all(phases);
    for (const auto& arrival : arrivals) {
      const auto due = grouping.due(arrival.at);
      EXPECT_LE(due, arrival.at);
      EXPECT_LT(arrival.at - due, 500us);
      if (!groups.empty()) {
        EXPECT_GE(due, groups.rbegin()->first);
      }
      groups[due] = arrival.at;
      early_ns += static_cast<double>((arrival.at - due).count());
      ++scheduled_a_second[arrival.at / 1s];
      ++due_a_second[due / 1s];
    }
    // Latency counts from what is due, so what is sent early is not measured as fast: on average a quarter of a
    // millisecond, and a second has its arrivals but for those of the group on its edge.
    EXPECT_LT(early_ns / static_cast<double>(arrivals.size()), 250e3);
    for (const auto& [second, count] : scheduled_a_second) {
      const double edge = 1 + phases[0].ramp_to.value_or(phases[0].rate) * 500e-6;
      EXPECT_NEAR(due_a_second[second], count, edge) << second;
    }
    // No group begins within another.
    auto before = groups.end();
    for (auto at = groups.begin(); at != groups.end(); before = at++) {
      if (before != groups.end()) {
        EXPECT_GE(at->first - before->first, 499us);
      }
    }
  }
}

TEST(Schedule, RefusesWhatIsNoRate) {
  EXPECT_FALSE(Schedule::make({rate(1s, -1)}));
  EXPECT_FALSE(Schedule::make({rate(1s, 1, 1e9)}));
  EXPECT_FALSE(Schedule::make({rate(-1s, 1)}));
  EXPECT_FALSE(Schedule::make({rate(1s, std::numeric_limits<double>::quiet_NaN())}));
}

}  // namespace
}  // namespace securebase::load
