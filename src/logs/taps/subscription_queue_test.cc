#include "logs/taps/subscription_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "logs/metrics.h"
#include "logs/store/test_directory.h"

namespace securebase::logs {
namespace {

class SubscriptionQueueTest : public testing::Test {
 protected:
  void open() {
    queue_.reset();
    auto opened = SubscriptionQueue::open(path_);
    check(opened.has_value(), "an empty directory has a queue");
    queue_ = std::move(*opened);
  }
  void start() {
    queue_->start(
        [this](const std::string& arn, const std::string& event) -> Result<Done> {
          const std::lock_guard lock(mutex_);
          if (refuses_ || arn == refused_) return Error{Errc::kUnavailable, "no instance is free"};
          called_.push_back(arn + " " + event);
          news_.notify_all();
          return Done{};
        },
        registry_.counter(kDeliveredBatches), registry_.counter(kDroppedBatches));
  }
  std::vector<std::string> called(std::size_t count) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, std::chrono::seconds(20), [&] { return called_.size() >= count; });
    return called_;
  }

  TestDirectory directory_;
  const std::filesystem::path path_ = directory_.path() / "subscriptions";
  telemetry::Registry registry_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<std::string> called_;
  bool refuses_ = false;
  std::string refused_;
  std::unique_ptr<SubscriptionQueue> queue_;  // last: ends first
};

// Nothing is told to the queue when the platform is killed: a copy of its file is what is left.
TEST_F(SubscriptionQueueTest, WhatWaitsOutlastsAKill) {
  open();
  for (int i = 0; i < 100; ++i) queue_->push("arn", std::to_string(i));
  std::filesystem::copy_file(path_, path_.native() + ".killed");
  queue_.reset();
  std::filesystem::rename(path_.native() + ".killed", path_);
  open();
  start();
  const auto all = called(100);
  ASSERT_EQ(all.size(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], "arn " + std::to_string(i));
}

TEST_F(SubscriptionQueueTest, WhatIsDoneIsNotDoneAgain) {
  open();
  start();
  for (int i = 0; i < 10; ++i) queue_->push("arn", std::to_string(i));
  EXPECT_EQ(called(10).size(), 10U);
  queue_->stop();
  queue_->push("arn", "after the stop");
  open();
  start();
  EXPECT_EQ(called(11).back(), "arn after the stop");
  EXPECT_EQ(called(11).size(), 11U);
}

TEST_F(SubscriptionQueueTest, WhatCannotBeDeliveredYetWaitsForTheNextStart) {
  open();
  refuses_ = true;
  start();
  queue_->push("arn", "patient");
  queue_->stop();
  {
    const std::lock_guard lock(mutex_);
    refuses_ = false;
  }
  open();
  start();
  EXPECT_EQ(called(1), std::vector<std::string>{"arn patient"});
}

TEST_F(SubscriptionQueueTest, ATornEndCostsNothingBeforeIt) {
  open();
  for (int i = 0; i < 3; ++i) queue_->push("arn", std::to_string(i));
  queue_.reset();
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  open();
  start();
  EXPECT_EQ(called(2), (std::vector<std::string>{"arn 0", "arn 1"}));
}

TEST_F(SubscriptionQueueTest, AFunctionWithoutTimeDelaysNoOther) {
  open();
  refused_ = "slow";
  start();
  queue_->push("slow", "1");
  for (int i = 0; i < 50; ++i) queue_->push("quick", std::to_string(i));
  const auto all = called(50);
  ASSERT_EQ(all.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], "quick " + std::to_string(i));
  {
    const std::lock_guard lock(mutex_);
    refused_.clear();
  }
  EXPECT_EQ(called(51).back(), "slow 1");  // which has six seconds of attempts: had others waited, it were dropped
}

TEST_F(SubscriptionQueueTest, AFunctionThatStandsLeavesRoomForOthers) {
  open();
  for (int i = 0; i < 40; ++i) queue_->push("standing", std::string(1 << 20, 'x'));
  queue_->push("other", "finds room");
  start();
  const auto all = called(25);
  queue_->stop();
  EXPECT_EQ(std::count(all.begin(), all.end(), "other finds room"), 1);
  EXPECT_EQ(called(25).size(), 25U);  // of the first, three quarters of 32 MiB
}

TEST_F(SubscriptionQueueTest, TheFileStaysSmallHoweverMuchPasses) {
  open();
  start();
  for (int i = 0; i < 200; ++i) queue_->push("arn", std::string(100'000, 'x'));
  EXPECT_EQ(called(200).size(), 200U);
  queue_->stop();
  EXPECT_LT(std::filesystem::file_size(path_), 4U << 20);
}

}  // namespace
}  // namespace securebase::logs
