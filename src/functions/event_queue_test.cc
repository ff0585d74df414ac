#include "functions/event_queue.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"

namespace securebase::functions {
namespace {

namespace fs = std::filesystem;

// Answers every call, and remembers what it was called with.
class Recording final : public Invoker {
 public:
  net::Task<InvokeOutcome> invoke(std::string function, std::string event, InvokeOptions) override {
    {
      const std::lock_guard lock(mutex_);
      calls_.push_back(function + " " + event);
    }
    InvokeOutcome outcome;
    outcome.kind = InvokeOutcome::Kind::kOk;
    co_return outcome;
  }
  bool knows(std::string_view) const override { return true; }
  std::vector<std::string> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
};

class EventQueueTest : public testing::Test {
 protected:
  EventQueueTest() : directory_(fs::temp_directory_path() / ("events-" + base::random_hex(12))) {}
  ~EventQueueTest() override { fs::remove_all(directory_); }

  EventQueue queue(EventQueue::Limits limits = {}) {
    fs::create_directories(directory_);
    return EventQueue(directory_, limits,
                      {.invoker = invoker_,
                       .workers = workers_,
                       .clock = base::system_clock(),
                       .policy = [](const std::string&) { return EventInvoke{}; },
                       .metrics = [](const std::string&) { return EventQueue::Metrics{}; }});
  }

  const fs::path directory_;
  Recording invoker_;
  net::Workers workers_{1};
};

TEST_F(EventQueueTest, WhatIsTooLargeNeverFitsAndAFullQueueMayBeTriedAgain) {
  EventQueue full = queue({.event_bytes = 8, .events = 2});
  EXPECT_EQ(full.put("f", "123456789").error().code, Errc::kLimit);
  EXPECT_TRUE(full.put("f", "1"));
  EXPECT_TRUE(full.put("f", "2"));
  EXPECT_EQ(full.put("f", "3").error().code, Errc::kUnavailable);
  EXPECT_EQ(full.waiting(), 2u);
  full.stop();
  EXPECT_EQ(full.put("f", "4").error().code, Errc::kClosed);
}

TEST_F(EventQueueTest, WhatWasTakenIsGivenAwayByTheNextRun) {
  {
    EventQueue first = queue();
    EXPECT_TRUE(first.put("f", "{\"n\":1}"));
    first.stop();
  }
  EventQueue second = queue();
  ASSERT_TRUE(second.start());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (second.waiting() > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  second.stop();
  EXPECT_EQ(invoker_.calls(), std::vector<std::string>{"f {\"n\":1}"});
  workers_.stop();
}

}  // namespace
}  // namespace securebase::functions
