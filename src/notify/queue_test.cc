#include "notify/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/random.h"

namespace securebase::notify {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;

class QueueTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::temp_directory_path() / ("notify-queue-" + base::random_hex(12));
    open();
  }
  void TearDown() override {
    queue_.reset();
    fs::remove_all(directory_);
  }

  void open() {
    queue_.reset();
    auto opened = Queue::open(
        directory_, limits_,
        [this](const std::string& name) -> std::optional<Queue::LaneRule> {
          const auto found = rules_.find(name);
          return found == rules_.end() ? std::nullopt : std::optional(found->second);
        },
        clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    queue_ = std::move(*opened);
  }

  MessagePointer message(std::string text) {
    auto made = std::make_shared<Message>();
    made->id = base::random_uuid();
    made->topic_arn = "arn:aws:sns:us-east-1:123456789012:t";
    made->text = std::move(text);
    made->published = clock_.now();
    return made;
  }
  void add(std::string text, const std::vector<std::string>& to = {"a"}) {
    const auto added = queue_->add(message(std::move(text)), to);
    ASSERT_TRUE(added) << added.error().message;
  }
  std::vector<std::string> texts(std::vector<Queue::Delivery> taken) {
    std::vector<std::string> all;
    for (auto& one : taken) {
      all.push_back(one.subscription + ":" + one.message->text);
      taken_.push_back(one);
    }
    return all;
  }
  fs::path file() const {
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().extension() == ".log") return entry.path();
    }
    return {};
  }

  fs::path directory_;
  base::ManualClock clock_;
  Limits limits_;
  std::map<std::string, Queue::LaneRule> rules_{{"a", {}}, {"b", {}}};
  std::unique_ptr<Queue> queue_;
  std::vector<Queue::Delivery> taken_;
};

TEST_F(QueueTest, GivesWhatWasAddedToEachSubscription) {
  add("one", {"a", "b"});
  EXPECT_THAT(texts(queue_->take(10)), testing::UnorderedElementsAre("a:one", "b:one"));
  EXPECT_TRUE(queue_->take(10).empty());
  for (const auto& one : taken_) queue_->delivered(one.id);
  EXPECT_EQ(queue_->totals().waiting, 0U);
  EXPECT_EQ(queue_->totals().bytes, 0U);
}

TEST_F(QueueTest, KeepsWhatWasNotDeliveredAcrossARestartWithItsAttempts) {
  add("one");
  add("two");
  texts(queue_->take(10));
  queue_->delivered(taken_[0].id);
  queue_->retry(taken_[1].id, clock_.now() + 10s, "503");
  open();
  EXPECT_TRUE(queue_->take(10).empty());
  clock_.advance(10s);
  const auto again = queue_->take(10);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].message->text, "two");
  EXPECT_EQ(again[0].attempts, 1U);
  EXPECT_EQ(queue_->next_due(), std::nullopt);
}

TEST_F(QueueTest, GivesIdsOnceEvenWhenAllIsDoneAndRewritten) {
  add("one");
  texts(queue_->take(1));
  queue_->delivered(taken_[0].id);
  open();
  add("two");
  const auto again = queue_->take(1);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_GT(again[0].id, taken_[0].id);
}

TEST_F(QueueTest, OpensWhereverACrashCutItsFile) {
  base::set_log_level(base::Level::kError);  // each torn end is a warning
  add("one");
  add("two");
  add("three");
  queue_.reset();
  const auto whole = *base::read_file(file());
  std::size_t most = 0;
  for (std::size_t length = 16; length <= whole.size(); ++length) {
    ASSERT_TRUE(base::replace_file(file(), std::string_view(whole).substr(0, length)));
    open();
    const auto left = queue_->totals().waiting;
    EXPECT_GE(left, most) << "a longer file holds no less";
    most = std::max(most, left);
    // What is added behind a torn record is found again.
    if (length % 97 == 0) {
      add("after");
      open();
      EXPECT_EQ(queue_->totals().waiting, left + 1);
    }
    queue_.reset();
  }
  EXPECT_EQ(most, 3U);
  base::set_log_level(base::Level::kInfo);
}

TEST_F(QueueTest, StopsAtADamagedRecordInsteadOfBelievingIt) {
  add("one");
  add("two");
  queue_.reset();
  auto bytes = *base::read_file(file());
  bytes[bytes.size() - 10] ^= 1;
  ASSERT_TRUE(base::replace_file(file(), bytes));
  open();
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:one"));
}

TEST_F(QueueTest, HoldsAnOrderedLaneInItsOrder) {
  rules_["a"].ordered = true;
  add("ALARM");
  add("OK");
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:ALARM"));
  queue_->retry(taken_[0].id, clock_.now() + 10s, "503");
  EXPECT_TRUE(queue_->take(10).empty()) << "the second waits for the first";
  clock_.advance(10s);
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:ALARM"));
  queue_->delivered(taken_[1].id);
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:OK"));
}

TEST_F(QueueTest, LetsNoLaneHoldAnother) {
  rules_["a"].concurrency = 1;
  for (int i = 0; i < 5; ++i) add(std::to_string(i), {"a", "b"});
  EXPECT_THAT(texts(queue_->take(100)), testing::UnorderedElementsAre("a:0", "b:0", "b:1", "b:2", "b:3", "b:4"));
}

TEST_F(QueueTest, TakesALaneNoFasterThanItsRate) {
  rules_["a"].interval = 500ms;
  add("one");
  add("two");
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:one"));
  EXPECT_EQ(queue_->next_due(), clock_.now() + 500ms);
  clock_.advance(500ms);
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:two"));
}

TEST_F(QueueTest, HoldsWhatCannotBeSentYet) {
  rules_["a"].held = true;
  add("mail");
  EXPECT_TRUE(queue_->take(10).empty());
  EXPECT_EQ(queue_->lanes().at("a").waiting, 1U);
  rules_["a"].held = false;
  open();
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:mail"));
}

TEST_F(QueueTest, ListsWhatWaitsByWhenItIsTriedNext) {
  add("first");
  add("second", {"b"});
  const auto taken = queue_->take(1);
  ASSERT_EQ(taken.size(), 1U);
  queue_->retry(taken[0].id, clock_.now() + 60s, "503");
  const auto waiting = queue_->waiting(10);
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_NE(waiting[0].subscription_arn, taken[0].subscription);
  EXPECT_EQ(waiting[1].attempts, 1U);
  EXPECT_EQ(waiting[1].due, clock_.now() + 60s);
  EXPECT_FALSE(waiting[1].under_way);
  EXPECT_EQ(queue_->waiting(1).size(), 1U);
  EXPECT_TRUE(queue_->take(1).size() == 1 && queue_->waiting(1)[0].under_way);
}

TEST_F(QueueTest, RefusesWhenItIsFull) {
  limits_.queue_length = 2;
  open();
  add("one", {"a", "b"});
  const auto refused = queue_->add(message("two"), {"a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kLimit);
  texts(queue_->take(10));
  queue_->delivered(taken_[0].id);
  EXPECT_TRUE(queue_->add(message("two"), {"a"}));
}

TEST_F(QueueTest, RefusesWhenItsBytesAreUsed) {
  limits_.queue_bytes = 100'000;
  open();
  add(std::string(60'000, 'x'));
  const auto refused = queue_->add(message(std::string(60'000, 'y')), {"b"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kLimit);
}

TEST_F(QueueTest, MakesDeadLettersOfWhatAFullLaneCannotTake) {
  limits_.lane_length = 2;
  open();
  for (int i = 0; i < 3; ++i) add(std::to_string(i), {"a", "b"});
  EXPECT_EQ(queue_->totals().waiting, 4U);
  EXPECT_EQ(queue_->dead_letters().size(), 2U);
}

TEST_F(QueueTest, KeepsDeadLettersUntilTheyAreTriedAgain) {
  add("one");
  texts(queue_->take(1));
  queue_->dead(taken_[0].id, "refused: 410");
  open();
  auto letters = queue_->dead_letters();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].reason, "refused: 410");
  EXPECT_EQ(letters[0].attempts, 1U);
  EXPECT_EQ(queue_->redrive(letters[0].id + 1, ""), 0U);
  EXPECT_EQ(queue_->redrive(std::nullopt, "a"), 1U);
  open();
  const auto again = queue_->take(1);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].attempts, 0U);
  queue_->dead(again[0].id, "refused: 410");
  EXPECT_EQ(queue_->purge(std::nullopt, ""), 1U);
  open();
  EXPECT_TRUE(queue_->dead_letters().empty());
  EXPECT_EQ(queue_->totals().bytes, 0U);
}

TEST_F(QueueTest, DropsTheOldestDeadLettersAndCountsThem) {
  limits_.dead_letters = 2;
  open();
  for (int i = 0; i < 3; ++i) add(std::to_string(i));
  for (const auto& one : queue_->take(3)) queue_->dead(one.id, "refused");
  const auto letters = queue_->dead_letters();
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(queue_->totals().dropped, 1U);
}

TEST_F(QueueTest, ForgetsASubscriptionThatIsGone) {
  add("one", {"a", "b"});
  add("two", {"a"});
  texts(queue_->take(1));
  queue_->forget("a");
  for (const auto& one : taken_) queue_->delivered(one.id);
  EXPECT_LE(queue_->totals().waiting, 1U);
  for (const auto& one : queue_->take(10)) EXPECT_EQ(one.subscription, "b");
}

// A publisher chooses receivers before it comes here; one may be gone by then.
TEST_F(QueueTest, KeepsNoLaneOfASubscriptionThatWasGoneAlready) {
  rules_.erase("b");
  for (int i = 0; i < 3; ++i) add("one", {"a", "b"});
  EXPECT_EQ(queue_->lanes().size(), 1U);
  EXPECT_EQ(queue_->totals().waiting, 3U);
  open();
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:one", "a:one", "a:one"));
}

TEST_F(QueueTest, RewritesItsFileAndKeepsWhatWaits) {
  add("kept", {"b"});
  const std::string big(100'000, 'x');
  for (int i = 0; i < 200; ++i) {  // 20 MB, of which nothing stays
    add(big);
    for (const auto& one : queue_->take(10)) {
      if (one.subscription == "a") queue_->delivered(one.id);
    }
  }
  EXPECT_LT(fs::file_size(file()), 9U << 20);
  open();
  EXPECT_EQ(queue_->totals().waiting, 1U);
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("b:kept"));
}

TEST_F(QueueTest, LosesNothingAcknowledgedToManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 50; ++i) EXPECT_TRUE(queue_->add(message("x"), {"a", "b"}));
    });
  }
  for (auto& thread : threads) thread.join();
  open();
  EXPECT_EQ(queue_->totals().waiting, 800U);
}

TEST_F(QueueTest, AcknowledgesNothingThatTheDiskDidNotTake) {
  add("one");
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = fs::file_size(file()) + 10;  // a disk that is full after ten more bytes
  ::setrlimit(RLIMIT_FSIZE, &full);
  const auto refused = queue_->add(message("two"), {"a"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kIo);
  add("three");
  open();
  EXPECT_THAT(texts(queue_->take(10)), ElementsAre("a:one", "a:three"));
}

// A child publishes and tells each acknowledgement through a pipe; it is killed in the middle.
TEST_F(QueueTest, LosesNothingAcknowledgedToKill9) {
  queue_.reset();
  std::size_t acknowledged_in_all = 0;
  for (int round = 0; round < 5; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const auto child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      open();
      for (std::uint32_t i = 0;; ++i) {
        if (!queue_->add(message("r" + std::to_string(round) + "-" + std::to_string(i)), {"a"})) ::_exit(1);
        if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    std::uint32_t count = 0, last = 0;
    const std::uint32_t until = 20 + static_cast<std::uint32_t>(round) * 13;
    while (count < until && ::read(pipe[0], &last, sizeof last) == sizeof last) ++count;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe[0], &last, sizeof last) == sizeof last) ++count;
    ::close(pipe[0]);
    ASSERT_GE(count, until);
    acknowledged_in_all += count;
    open();
    EXPECT_GE(queue_->totals().waiting, acknowledged_in_all);
    // One more may have reached the disk before the child could say so, each round.
    EXPECT_LE(queue_->totals().waiting, acknowledged_in_all + static_cast<std::size_t>(round) + 1);
    queue_.reset();
  }
}

}  // namespace
}  // namespace securebase::notify
