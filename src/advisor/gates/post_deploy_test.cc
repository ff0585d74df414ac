#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(LatencyCheck, FailsAtOnceAndPassesOnlyOverTheWholeWindow) {
  World world;
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 40, 10'000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "latency").decision, Decision::kPass);
  world.facts.deployed = kAt - hours{3};
  const auto early = world.of(Gate::kPostDeploy, "latency");
  EXPECT_EQ(early.decision, Decision::kInsufficient);
  EXPECT_THAT(early.reason, HasSubstr("3.0 h of 24.0 h"));
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 140, 10'000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "latency").decision, Decision::kFail);
}

TEST(LatencyCheck, DoesNotCountWhatMetTheConfigurationBefore) {
  World world;
  world.facts.deployed = kAt - std::chrono::minutes{10} - seconds{30};
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 900, 10'000, kAt - hours{9},
                    kAt - std::chrono::minutes{10});
  EXPECT_EQ(world.of(Gate::kPostDeploy, "latency").decision, Decision::kInsufficient);
  world.numbers.set("AWS/ApiGateway", "Latency", "ApiName", "api", "p95", 900, 10'000, kAt - std::chrono::minutes{5});
  EXPECT_EQ(world.of(Gate::kPostDeploy, "latency").decision, Decision::kFail);
  world.facts.deployed = kAt - seconds{20};
  EXPECT_THAT(world.of(Gate::kPostDeploy, "latency").reason, HasSubstr("not a minute old"));
}

TEST(ColdStartsCheck, LooksAtTheirTimeAndTheirShare) {
  World world;
  world.numbers.set("AWS/Lambda", "Invocations", "FunctionName", "auth", "Sum", 1000, 1000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "cold-starts").decision, Decision::kPass);
  world.numbers.set("AWS/Lambda", "InitDuration", "FunctionName", "auth", "Average", 200, 60);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "cold-starts").decision, Decision::kFail);
  World slow;
  slow.numbers.set("AWS/Lambda", "Invocations", "FunctionName", "auth", "Sum", 1000, 1000);
  slow.numbers.set("AWS/Lambda", "InitDuration", "FunctionName", "auth", "Average", 500, 2);
  EXPECT_EQ(slow.of(Gate::kPostDeploy, "cold-starts").decision, Decision::kFail);
}

TEST(ErrorsCheck, DoesNotPassOverFewInvocationsThatFail) {
  World world;
  world.numbers.set("AWS/ApiGateway", "Count", "ApiName", "api", "Sum", 1000, 1000);
  world.numbers.set("AWS/Lambda", "Invocations", "FunctionName", "later", "Sum", 99, 99);
  world.numbers.set("AWS/Lambda", "Errors", "FunctionName", "later", "Sum", 99, 99);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "errors").decision, Decision::kInsufficient);
}

TEST(ErrorsCheck, CountsWhatTheServerDidAndNotItsCallers) {
  World world;
  world.numbers.set("AWS/ApiGateway", "Count", "ApiName", "api", "Sum", 1000, 1000);
  world.numbers.set("AWS/ApiGateway", "4XXError", "ApiName", "api", "Sum", 900, 900);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "errors").decision, Decision::kPass);
  world.numbers.set("AWS/ApiGateway", "5XXError", "ApiName", "api", "Sum", 10, 10);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "errors").decision, Decision::kFail);
}

TEST(HitRatesCheck, NeedsBothCachesAndEnoughLookups) {
  World world;
  world.numbers.set("AWS/CloudFront", "CacheHitRate", "DistributionId", "E1", "Average", 95, 1000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "hit-rates").decision, Decision::kInsufficient);
  world.numbers.set("AWS/ElastiCache", "CacheHitRate", "ReplicationGroupId", "redis", "Average", 71, 1000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "hit-rates").decision, Decision::kPass);
  world.numbers.set("AWS/ElastiCache", "CacheHitRate", "ReplicationGroupId", "redis", "Average", 70, 1000);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "hit-rates").decision, Decision::kFail);
}

TEST(HitRatesCheck, TellsOfLoadTestsThatWereAmongTheLookups) {
  World world;
  world.numbers.set("AWS/CloudFront", "CacheHitRate", "DistributionId", "E1", "Average", 2, 5000);
  EXPECT_THAT(world.of(Gate::kPostDeploy, "hit-rates").evidence, testing::Each(Not(HasSubstr("load tests"))));
  world.facts.runs = {passed_run()};
  EXPECT_THAT(world.of(Gate::kPostDeploy, "hit-rates").evidence,
              testing::Contains(HasSubstr("1000 requests of load tests are among them")));
}

TEST(HitRatesCheck, AddsUpCachesThatAreTooSmallToTellAlone) {
  World world;
  world.numbers.set("AWS/ElastiCache", "CacheHitRate", "ReplicationGroupId", "redis", "Average", 90, 1000);
  world.numbers.set("AWS/CloudFront", "CacheHitRate", "DistributionId", "E1", "Average", 10, 60);
  world.numbers.set("AWS/CloudFront", "CacheHitRate", "DistributionId", "E2", "Average", 10, 60);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "hit-rates").decision, Decision::kFail);
}

TEST(ScalingCheck, IsDecidedByASpike) {
  World world;
  auto spike = passed_run();
  spike.scenario = "spike";
  spike.scaling_seconds = 4;
  spike.users = 500;
  spike.seconds = 120;
  spike.limit_ms = 100;
  spike.rise_seconds = 10;
  world.facts.runs = {spike};
  EXPECT_EQ(world.of(Gate::kPostDeploy, "scaling").decision, Decision::kPass);
  // One that never recovered is not passed over for an older one that did.
  auto never = spike;
  never.began += std::chrono::seconds{1};
  never.ended += std::chrono::seconds{1};
  never.scaling_seconds.reset();
  world.facts.runs = {spike, never};
  EXPECT_EQ(world.of(Gate::kPostDeploy, "scaling").decision, Decision::kFail);
  world.facts.runs = {spike};
  world.facts.runs.front().scaling_seconds = 121;
  EXPECT_EQ(world.of(Gate::kPostDeploy, "scaling").decision, Decision::kFail);
  world.facts.runs.front().scaling_seconds = 4;
  world.numbers.set("AWS/Lambda", "Throttles", "FunctionName", "auth", "Sum", 50, 50);
  EXPECT_EQ(world.of(Gate::kPostDeploy, "scaling").decision, Decision::kFail);
}

TEST(ScalingCheck, AsksForASpikeOfTheGuidesSize) {
  World world;
  auto spike = passed_run();
  spike.scenario = "spike";
  spike.scaling_seconds = 0;
  spike.users = 500;
  spike.seconds = 120;
  spike.limit_ms = 100;
  spike.rise_seconds = 10;
  const auto decision = [&](auto change) {
    auto one = spike;
    change(one);
    world.facts.runs = {one};
    return world.of(Gate::kPostDeploy, "scaling").decision;
  };
  EXPECT_EQ(decision([](LoadRun&) {}), Decision::kPass);
  EXPECT_EQ(decision([](LoadRun& run) { run.users = 50; }), Decision::kInsufficient);
  EXPECT_EQ(decision([](LoadRun& run) { run.limit_ms = 2000; }), Decision::kInsufficient);
  EXPECT_EQ(decision([](LoadRun& run) { run.rise_seconds = 60; }), Decision::kInsufficient);
  EXPECT_EQ(decision([](LoadRun& run) { run.seconds = 10; }), Decision::kInsufficient);
}

}  // namespace
}  // namespace securebase::advisor
