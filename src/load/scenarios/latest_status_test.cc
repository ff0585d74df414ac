#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "load/scenarios/latest_status.h"

namespace securebase::load {
namespace {

TEST(LatestStatus, IsThereWithoutWaitingForATargetThatDoesNotAnswer) {
  std::mutex hangs;
  std::atomic<int> asked = 0;
  const auto ask = [&]() -> Result<base::Json> {
    const int number = ++asked;
    if (number > 1) const std::lock_guard wait(hangs);
    return base::Json::object({{"number", number}});
  };
  std::unique_lock hanging(hangs);
  LatestStatus status(ask);
  while (asked < 2) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  // The second answer does not come, and who looks has the first.
  const auto latest = status.get();
  ASSERT_TRUE(latest);
  EXPECT_EQ((*latest)["number"].integer_or(0), 1);
  hanging.unlock();
}

}  // namespace
}  // namespace securebase::load
