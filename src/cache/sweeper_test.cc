#include "cache/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace securebase::cache {
namespace {

using testing::ElementsAre;

Receipt receipt_of(const std::vector<std::string>& tags) {
  Receipt receipt;
  for (const auto& tag : tags) receipt.tags.push_back({tag, 1, 2});
  receipt.keys_seen = 10;
  return receipt;
}

struct Asked {
  std::promise<Result<Receipt>> promise;
  std::future<Result<Receipt>> future = promise.get_future();
  std::function<void(Result<Receipt>)> done = [this](Result<Receipt> receipt) {
    promise.set_value(std::move(receipt));
  };
};

TEST(Sweeper, SweepsOnceForAllThatWaitAndGivesEachItsOwn) {
  std::promise<void> begun, go;
  std::vector<std::vector<std::string>> passes;
  base::ManualClock clock;
  Asked first, second, third;
  {
    Sweeper sweeper(
        [&](const std::vector<std::string>& tags) -> Result<Receipt> {
          passes.push_back(tags);
          if (passes.size() == 1) {
            begun.set_value();
            go.get_future().wait();
          }
          return receipt_of(tags);
        },
        clock);
    sweeper.add({"#customer:1"}, first.done);
    begun.get_future().wait();
    sweeper.add({"customer:2", "#invoices:2"}, second.done);
    sweeper.add({"#customer:2"}, third.done);
    go.set_value();
  }
  ASSERT_EQ(passes.size(), 2U);
  EXPECT_THAT(passes[0], ElementsAre("customer:1"));
  EXPECT_THAT(passes[1], ElementsAre("customer:2", "invoices:2"));
  EXPECT_EQ(second.future.get()->tags.size(), 2U);
  const auto last = third.future.get();
  ASSERT_TRUE(last);
  ASSERT_EQ(last->tags.size(), 1U);
  EXPECT_EQ(last->tags[0].name, "customer:2");
  EXPECT_EQ(last->keys_seen, 10U);
}

TEST(Sweeper, TellsEverybodyOfAFailure) {
  Asked asked;
  Sweeper sweeper(
      [](const auto&) -> Result<Receipt> {
        return Error{Errc::kUnavailable, "gone"};
      },
      base::system_clock());
  sweeper.add({"customer:1"}, asked.done);
  const auto receipt = asked.future.get();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().message, "gone");
}

TEST(Sweeper, RefusesWhatIsTooMuchAtOnce) {
  std::promise<void> begun, go;
  bool first = true;
  int refused = 0;
  Sweeper sweeper(
      [&](const std::vector<std::string>& tags) -> Result<Receipt> {
        if (std::exchange(first, false)) {
          begun.set_value();
          go.get_future().wait();
        }
        return receipt_of(tags);
      },
      base::system_clock());
  sweeper.add({"customer:1"}, [](const auto&) {});
  begun.get_future().wait();
  for (int i = 0; i < 1025; ++i) {
    sweeper.add({"customer:2"}, [&](const Result<Receipt>& receipt) { refused += !receipt; });
  }
  EXPECT_EQ(refused, 1);
  go.set_value();
}

}  // namespace
}  // namespace securebase::cache
