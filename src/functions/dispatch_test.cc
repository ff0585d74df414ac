#include "functions/dispatch.h"

#include <gtest/gtest.h>

#include "functions/function.h"
#include "functions/instance.h"

namespace securebase::functions {
namespace {

using namespace std::chrono_literals;

// The dispatch never looks into an instance: any distinct addresses do.
Instance* instance(int number) { return reinterpret_cast<Instance*>(static_cast<std::uintptr_t>(number) * 64); }
std::shared_ptr<Job> job() { return std::make_shared<Job>(); }
const base::SteadyPoint kNow = base::SteadyPoint{} + 1h;

void add_idle(Dispatch& dispatch, int number, std::size_t worker, base::SteadyPoint now = kNow) {
  dispatch.starting(instance(number));
  EXPECT_EQ(dispatch.ready(instance(number), worker, now, true), nullptr);
}

TEST(Dispatch, PrefersTheCallersWorkerThenTheMostRecentlyUsed) {
  Dispatch dispatch;
  add_idle(dispatch, 1, 0);
  add_idle(dispatch, 2, 1);
  add_idle(dispatch, 3, 0);
  add_idle(dispatch, 4, 1);
  EXPECT_EQ(dispatch.place(job(), 0).instance, instance(3));
  EXPECT_EQ(dispatch.place(job(), 0).instance, instance(1));
  EXPECT_EQ(dispatch.place(job(), 0).instance, instance(4));
  EXPECT_EQ(dispatch.place(job(), 0).instance, instance(2));
  EXPECT_TRUE(dispatch.place(job(), 0).start);
}

TEST(Dispatch, StartsNoMoreThanWaitLessWhatIsSoonFree) {
  Dispatch dispatch;
  EXPECT_TRUE(dispatch.place(job(), 0).start);
  dispatch.starting(instance(1));
  EXPECT_EQ(dispatch.wanted(), 0u);
  EXPECT_TRUE(dispatch.place(job(), 0).start);
  dispatch.starting(instance(2));
  // Both are served by the two that start; a third that has answered already is for the next one.
  EXPECT_NE(dispatch.ready(instance(1), 0, kNow, true), nullptr);
  dispatch.answered(instance(1), 10ms);
  EXPECT_FALSE(dispatch.place(job(), 0).start);
  EXPECT_EQ(dispatch.waiting(), 2u);
}

TEST(Dispatch, WaitsForQuickInstancesAndInsistsWhenTheyAreNot) {
  Dispatch dispatch;
  dispatch.initialised(400ms);
  add_idle(dispatch, 1, 0);
  ASSERT_EQ(dispatch.place(job(), 0).instance, instance(1));
  dispatch.answered(instance(1), 200us);
  ASSERT_EQ(dispatch.ready(instance(1), 0, kNow, false), nullptr);
  ASSERT_EQ(dispatch.place(job(), 0).instance, instance(1));
  const auto waiting = job();
  const auto placed = dispatch.place(waiting, 0);
  EXPECT_FALSE(placed.start);
  EXPECT_GT(placed.patience, 0us);
  EXPECT_TRUE(dispatch.insist(waiting.get()));
  EXPECT_EQ(dispatch.ready(instance(1), 0, kNow, false), waiting);
  EXPECT_FALSE(dispatch.insist(waiting.get()));
}

TEST(Dispatch, InsistsWhenAnInstanceThatHasAnsweredAsksForNothing) {
  Dispatch dispatch;
  add_idle(dispatch, 1, 0);
  ASSERT_EQ(dispatch.place(job(), 0).instance, instance(1));
  dispatch.answered(instance(1), 1ms);
  const auto waiting = job();
  const auto placed = dispatch.place(waiting, 0);
  EXPECT_FALSE(placed.start);
  EXPECT_TRUE(dispatch.insist(waiting.get()));
  dispatch.starting(instance(2));
  EXPECT_FALSE(dispatch.insist(waiting.get())) << "one start for one who waits";
}

TEST(Dispatch, ServesInTheOrderOfArrivalAndForgetsThoseWhoLeft) {
  Dispatch dispatch;
  const auto first = job(), second = job(), third = job();
  for (const auto& one : {first, second, third}) dispatch.place(one, 0);
  EXPECT_TRUE(dispatch.withdraw(first.get()));
  EXPECT_FALSE(dispatch.withdraw(first.get()));
  dispatch.starting(instance(1));
  EXPECT_EQ(dispatch.ready(instance(1), 0, kNow, true), second);
  EXPECT_FALSE(dispatch.withdraw(second.get()));
  EXPECT_EQ(dispatch.take_oldest(), third);
}

TEST(Dispatch, LetsTheLongestIdleGoSaveThoseToBeKept) {
  Dispatch dispatch;
  add_idle(dispatch, 1, 0, kNow);
  add_idle(dispatch, 2, 0, kNow + 1s);
  add_idle(dispatch, 3, 0, kNow + 2s);
  EXPECT_TRUE(dispatch.expired(kNow + 9s, 10s, 0).empty());
  EXPECT_EQ(dispatch.expired(kNow + 11s, 10s, 2), std::vector<Instance*>{instance(1)});
  EXPECT_TRUE(dispatch.expired(kNow + 60s, 10s, 2).empty());
  EXPECT_EQ(dispatch.idle(), 2u);
}

}  // namespace
}  // namespace securebase::functions
