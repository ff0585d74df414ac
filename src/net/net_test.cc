#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/event.h"
#include "net/task.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::net {
namespace {

using namespace std::chrono_literals;

Task<int> one() { co_return 1; }

Task<void> add_many(int times, int& sum) {
  for (int i = 0; i < times; ++i) sum += co_await one();
}

TEST(Task, LoopsThatNeverWaitDoNotGrowTheStack) {
  Worker worker(0);
  int sum = 0;
  worker.run_until_done(add_many(1'000'000, sum));
  EXPECT_EQ(sum, 1'000'000);
}

Task<void> sleep_long(Result<Done>& end) { end = co_await sleep_for(1h); }

Task<void> spawn_and_close(TaskGroup& group, Result<Done>& end) {
  group.spawn(sleep_long(end));
  EXPECT_EQ(group.running(), 1u);
  co_await group.close();
}

TEST(TaskGroup, CloseCancelsItsTasksAndAwaitsThem) {
  Worker worker(0);
  TaskGroup group;
  Result<Done> end = Done{};
  worker.run_until_done(spawn_and_close(group, end));
  EXPECT_EQ(group.running(), 0u);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Errc::kCancelled);
}

Task<Result<int>> answer_after(std::chrono::milliseconds time, int value) {
  auto slept = co_await sleep_for(time);
  if (!slept) co_return slept.error();
  co_return value;
}

Task<void> try_timeouts() {
  auto quick = co_await with_timeout(10s, answer_after(1ms, 7));
  EXPECT_TRUE(quick);
  EXPECT_EQ(*quick, 7);
  auto slow = co_await with_timeout(1ms, answer_after(1h, 7));
  EXPECT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::kTimeout);
}

TEST(Timeout, CancelsTheTaskAndSaysSo) {
  Worker worker(0);
  worker.run_until_done(try_timeouts());
}

Task<void> await_reply(Reply<int> reply, int& got) {
  const auto thread = std::this_thread::get_id();
  auto value = co_await reply.wait();
  EXPECT_EQ(thread, std::this_thread::get_id());
  EXPECT_TRUE(value);
  got = *value;
}

TEST(Reply, ComesFromAnyThreadAndResumesOnTheWaitersOwn) {
  Worker worker(0);
  Reply<int> reply;
  int got = 0;
  std::thread other([reply] {
    EXPECT_TRUE(reply.answer(42));
    EXPECT_FALSE(reply.answer(43));
  });
  worker.run_until_done(await_reply(reply, got));
  other.join();
  EXPECT_EQ(got, 42);
}

Task<void> await_cancelled_reply(Reply<int> reply, Errc& code) {
  auto value = co_await with_timeout(1ms, reply.wait());
  EXPECT_FALSE(value);
  code = value.error().code;
}

TEST(Reply, WaitCanBeCancelled) {
  Worker worker(0);
  Errc code = Errc::kIo;
  worker.run_until_done(await_cancelled_reply(Reply<int>{}, code));
  EXPECT_EQ(code, Errc::kTimeout);
}

Task<void> use_pool(Pool& pool, std::thread::id& ran_on) {
  auto result = co_await pool.run([] { return std::this_thread::get_id(); });
  EXPECT_TRUE(result);
  ran_on = *result;
}

TEST(Pool, RunsElsewhereAndResumesHere) {
  Worker worker(0);
  Pool pool(1, 4);
  std::thread::id ran_on;
  worker.run_until_done(use_pool(pool, ran_on));
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(Workers, StopCancelsWhatStillRuns) {
  Result<Done> end = Done{};
  {
    Workers workers(2);
    workers.on_each([&](Worker& worker) {
      if (worker.index() == 1) worker.tasks().spawn(sleep_long(end));
    });
  }
  EXPECT_FALSE(end);
}

}  // namespace
}  // namespace securebase::net
