#include "k6/endpoints.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace securebase::k6 {
namespace {

TEST(Endpoints, AreCountedByNameOverAllUsers) {
  load::Recorder first, second;
  Endpoints endpoints;
  EXPECT_EQ(&endpoints.shard_of(first), &endpoints.shard_of(first));
  Endpoints::Names mine(endpoints), other(endpoints);
  endpoints.shard_of(first).add(mine.number_of("home"), 10, false);
  endpoints.shard_of(second).add(other.number_of("cart"), 20, true);
  endpoints.shard_of(second).add(other.number_of("home"), 30, true);
  const auto totals = endpoints.totals();
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].name, "home");
  EXPECT_EQ(totals[0].requests, 2U);
  EXPECT_EQ(totals[0].failed, 1U);
  EXPECT_DOUBLE_EQ(*totals[0].duration_ms.maximum(), 30);
  EXPECT_EQ(totals[1].name, "cart");
}

TEST(Endpoints, AreBoundedAndTheRestIsCountedTogether) {
  load::Recorder recorder;
  Endpoints endpoints;
  Endpoints::Names mine(endpoints), late(endpoints);
  for (std::size_t i = 0; i < Endpoints::kMost + 50; ++i) {
    endpoints.shard_of(recorder).add(mine.number_of(fmt::format("http://a/{}", i)), 1, false);
  }
  endpoints.shard_of(recorder).add(late.number_of("http://a/new"), 1, true);
  endpoints.shard_of(recorder).add(late.number_of("http://a/7"), 1, true);
  const auto totals = endpoints.totals();
  ASSERT_EQ(totals.size(), Endpoints::kMost + 1);
  EXPECT_EQ(totals[7].requests, 2U);
  EXPECT_EQ(totals.back().name, "");
  EXPECT_EQ(totals.back().requests, 51U);
  EXPECT_EQ(totals.back().failed, 1U);
}

TEST(Endpoints, NamesAreCutBetweenCharacters) {
  load::Recorder recorder;
  Endpoints endpoints;
  Endpoints::Names names(endpoints);
  const std::string long_name = std::string(Endpoints::kMostNameBytes - 1, 'a') + "\xc3\xa4 and more";
  endpoints.shard_of(recorder).add(names.number_of(long_name), 1, false);
  EXPECT_EQ(endpoints.totals().front().name, std::string(Endpoints::kMostNameBytes - 1, 'a'));
}

}  // namespace
}  // namespace securebase::k6
