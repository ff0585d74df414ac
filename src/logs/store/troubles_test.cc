#include "logs/store/troubles.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace securebase::logs {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class TroublesOfTwo : public testing::Test {
 protected:
  std::vector<std::string> told() { return std::exchange(told_, {}); }

  std::vector<std::string> told_;
  Troubles troubles_{[this](const Troubles::Told& one) {
    const char* const when[] = {"first", "again", "over"};
    told_.push_back(fmt::format("{} {} {}: {}", one.whose, when[static_cast<int>(one.when)], one.count, one.why));
  }};
  base::TimePoint now_{1'700'000'000s};
};

TEST_F(TroublesOfTwo, AreToldOnceThenEachMinuteThenWhenTheyAreOver) {
  for (int i = 0; i < 50 * 20; ++i) {  // a batch each 50 ms
    troubles_.failed("a", 3, "the disk is full", now_ + i * 50ms);
  }
  EXPECT_THAT(told(), ElementsAre("a first 3: the disk is full"));
  troubles_.failed("b", 1, "too many streams", now_ + 50s);
  EXPECT_THAT(told(), ElementsAre("b first 1: too many streams"));
  troubles_.failed("a", 3, "the disk is full", now_ + 60s);
  EXPECT_THAT(told(), ElementsAre("a again 3000: the disk is full"));
  troubles_.failed("a", 3, "the disk is full", now_ + 119s);
  EXPECT_THAT(told(), IsEmpty());
  troubles_.well("a", now_ + 119s);
  EXPECT_THAT(told(), ElementsAre("a over 3006: the disk is full"));
  troubles_.well("a", now_ + 120s);
  EXPECT_THAT(told(), IsEmpty());
  troubles_.failed("a", 1, "anew", now_ + 121s);
  EXPECT_THAT(told(), ElementsAre("a first 1: anew"));
}

TEST_F(TroublesOfTwo, AreToldOfWhoWritesNoMore) {
  troubles_.failed("a", 1, "x", now_);
  troubles_.failed("a", 1, "x", now_ + 1s);
  told();
  troubles_.failed("b", 1, "y", now_ + 61s);
  EXPECT_THAT(told(), ElementsAre("b first 1: y", "a again 1: x"));
}

TEST_F(TroublesOfTwo, AreForgottenOfWhoIsGone) {
  for (const char* name : {"a", "b"}) {
    troubles_.failed(name, 1, "x", now_);
    troubles_.failed(name, 1, "x", now_ + 1s);
  }
  told();
  troubles_.keep_those([](const std::string& name) { return name == "b"; });
  troubles_.failed("b", 1, "y", now_ + 61s);
  EXPECT_THAT(told(), ElementsAre("b again 2: y"));
}

TEST_F(TroublesOfTwo, AreBoundedByNames) {
  for (std::size_t i = 0; i < Troubles::kMostNames + 500; ++i) troubles_.failed(std::to_string(i), 1, "x", now_);
  const auto all = told();
  ASSERT_EQ(all.size(), Troubles::kMostNames + 1);
  EXPECT_EQ(all.back(), "other log groups first 1: x");
  for (std::size_t i = 0; i < Troubles::kMostNames; ++i) troubles_.well(std::to_string(i), now_);
  troubles_.failed("new", 1, "x", now_);
  EXPECT_EQ(told().back(), "new first 1: x");
}

}  // namespace
}  // namespace securebase::logs
