#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

using testing::HasSubstr;

TEST(MemoryCheck, FailsWhatIsTightAndNamesTheSizeThatFits) {
  World world;
  world.facts.functions = std::vector<FunctionUse>{{"auth", 128, 120.0, 500}, {"api", 1024, 90.0, 500}};
  const auto tight = world.of(Gate::kMonthly, "memory");
  EXPECT_EQ(tight.decision, Decision::kFail);
  EXPECT_THAT(tight.evidence, testing::Contains(HasSubstr("192 MB would fit")));
  world.facts.functions->erase(world.facts.functions->begin());
  EXPECT_EQ(world.of(Gate::kMonthly, "memory").decision, Decision::kPass);
  world.facts.functions = Error{Errc::kIo, "the logs cannot be read"};
  EXPECT_EQ(world.of(Gate::kMonthly, "memory").decision, Decision::kInsufficient);
}

TEST(MemoryCheck, DoesNotPassForAllByOneThatIsKnown) {
  World world;
  world.facts.functions =
      std::vector<FunctionUse>{{"api", 1024, 300.0, 500}, {"report", 512, std::nullopt, 0}, {"auth", 128, 100.0, 9}};
  const auto result = world.of(Gate::kMonthly, "memory");
  EXPECT_EQ(result.decision, Decision::kInsufficient);
  EXPECT_THAT(result.reason, HasSubstr("report, auth"));
}

TEST(CostCheck, FailsWhatIsDearerWithoutBeingFaster) {
  World world;
  world.facts.window = hours{24 * 30};
  EXPECT_EQ(world.of(Gate::kMonthly, "cost").decision, Decision::kInsufficient);
  world.facts.spent_before = Spent{10'000, 1000};
  world.facts.spent = Spent{10'000, 2000};  // twice the memory
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 80, 9000, kAt - hours{24 * 60},
                    kAt - hours{24 * 30});
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 80, 9000, kAt - hours{24 * 30});
  EXPECT_EQ(world.of(Gate::kMonthly, "cost").decision, Decision::kFail);
  World faster;
  faster.facts = world.facts;
  faster.facts.series = &faster.numbers;
  faster.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 80, 9000, kAt - hours{24 * 60},
                     kAt - hours{24 * 30});
  faster.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 40, 9000, kAt - hours{24 * 30});
  EXPECT_EQ(faster.of(Gate::kMonthly, "cost").decision, Decision::kPass);
}

TEST(EvictionsCheck, IsAShareOfWhatWasWritten) {
  World world;
  world.numbers.set("AWS/ElastiCache", "SetTypeCmds", "CacheClusterId", "redis", "Sum", 1000, 60);
  EXPECT_EQ(world.of(Gate::kMonthly, "evictions").decision, Decision::kPass);
  world.numbers.set("AWS/ElastiCache", "Evictions", "CacheClusterId", "redis", "Sum", 10, 60);
  EXPECT_EQ(world.of(Gate::kMonthly, "evictions").decision, Decision::kFail);
}

TEST(SlowQueriesCheck, FailsWhatIsSlowOften) {
  World world;
  world.numbers.set("SecureBase/Performance", "QueryTime", "DBClusterIdentifier", "db", "Average", 3, 900);
  world.facts.slow_statements = std::vector<SlowStatement>{{"CREATE INDEX", 1, 900, 900}};
  EXPECT_EQ(world.of(Gate::kMonthly, "slow-queries").decision, Decision::kPass);
  world.facts.slow_statements->push_back({"SELECT", 10, 150, 200});
  EXPECT_EQ(world.of(Gate::kMonthly, "slow-queries").decision, Decision::kFail);
}

TEST(BaselinesCheck, GrowOld) {
  World world;
  world.facts.window = hours{24 * 30};
  auto baseline = passed_run();
  baseline.scenario = "baseline";
  baseline.users = 10;
  baseline.seconds = 300;
  world.facts.runs = {baseline};
  EXPECT_EQ(world.of(Gate::kMonthly, "baselines").decision, Decision::kPass);
  world.facts.now += hours{24 * 31};
  EXPECT_EQ(world.of(Gate::kMonthly, "baselines").decision, Decision::kFail);
}

TEST(BaselinesCheck, AsksForTheGuidesUsersAndTime) {
  World world;
  auto baseline = passed_run();
  baseline.scenario = "baseline";
  baseline.users = 10;
  baseline.seconds = 20;
  world.facts.runs = {baseline};
  EXPECT_EQ(world.of(Gate::kMonthly, "baselines").decision, Decision::kInsufficient);
  baseline.seconds = 300;
  baseline.users = 2;
  world.facts.runs = {baseline};
  const auto few = world.of(Gate::kMonthly, "baselines");
  EXPECT_EQ(few.decision, Decision::kInsufficient);
  EXPECT_THAT(few.reason, HasSubstr("had 2 for 300 s"));
}

}  // namespace
}  // namespace securebase::advisor
