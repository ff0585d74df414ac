#include "traces/sampling/rules.h"

#include "traces/test_support.h"

namespace securebase::traces {
namespace {

using base::Json;

struct Rules {
  TestDirectory directory;
  base::ManualClock clock;
  std::unique_ptr<SamplingRules> rules;
  Rules() {
    std::filesystem::create_directories(directory.path());
    open();
  }
  void open() {
    rules = *SamplingRules::open(directory.path() / "rules.json", clock, "arn:aws:xray:us-east-1:123456789012");
  }
  Result<Json> create(const char* text) { return rules->create(*Json::parse(text)); }
  int sampled_of(int times, const telemetry::Arrival& arrival) {
    int sampled = 0;
    for (int i = 0; i < times; ++i) sampled += rules->sample(arrival);
    return sampled;
  }
};

constexpr const char* kHealth =
    R"({"SamplingRule":{"RuleName":"health","ResourceARN":"*","Priority":10,"FixedRate":0,"ReservoirSize":0,
        "ServiceName":"*","ServiceType":"*","Host":"*","HTTPMethod":"GET","URLPath":"*/health","Version":1}})";

TEST(SamplingRules, TheDefaultTakesOneASecondAndFivePercent) {
  Rules world;
  EXPECT_EQ(world.sampled_of(1, {}), 1);
  EXPECT_NEAR(world.sampled_of(20'000, {}), 1000, 150);
  world.clock.advance(1s);
  EXPECT_EQ(world.sampled_of(1, {}), 1);
}

TEST(SamplingRules, TheFirstRuleThatFitsDecidesAndIsThereAfterARestart) {
  Rules world;
  ASSERT_TRUE(world.create(kHealth));
  world.open();
  const telemetry::Arrival health{.service = "x", .type = "y", .host = "h", .method = "get", .path = "/v1/health"};
  EXPECT_EQ(world.sampled_of(1000, health), 0);
  ASSERT_TRUE(world.rules->update(*Json::parse(R"({"SamplingRuleUpdate":{"RuleName":"health","FixedRate":1}})")));
  EXPECT_EQ(world.sampled_of(1000, health), 1000);
  ASSERT_TRUE(world.rules->remove(*Json::parse(R"({"RuleName":"health"})")));
  EXPECT_LT(world.sampled_of(1000, health), 200);
}

// What it runs on is told by segments of SDKs, not by the platform's hops.
TEST(SamplingRules, ARuleForAResourceFitsNoHop) {
  Rules world;
  ASSERT_TRUE(world.create(
      R"({"SamplingRule":{"RuleName":"one","ResourceARN":"arn:aws:lambda:*","Priority":1,"FixedRate":1,"ReservoirSize":1000}})"));
  EXPECT_LT(world.sampled_of(1000, {}), 200);
}

TEST(SamplingRules, OfOnePriorityTheFirstNameDecides) {
  Rules world;
  ASSERT_TRUE(world.create(R"({"SamplingRule":{"RuleName":"b","Priority":5,"FixedRate":1,"ReservoirSize":0}})"));
  ASSERT_TRUE(world.create(R"({"SamplingRule":{"RuleName":"a","Priority":5,"FixedRate":0,"ReservoirSize":0}})"));
  EXPECT_EQ(world.sampled_of(100, {}), 0);
}

TEST(SamplingRules, AChangeOfOneLeavesTheOthersTheirCountsAndSaysWhenItWas) {
  Rules world;
  const auto changed = [&] {
    return world.rules->targets(*Json::parse(R"({"SamplingStatisticsDocuments":[]})"))["LastRuleModification"]
        .number_or(0);
  };
  EXPECT_EQ(world.sampled_of(1, {}), 1);
  ASSERT_TRUE(world.create(kHealth));
  const auto counted = world.rules->statistics();
  EXPECT_EQ((*counted["SamplingStatisticSummaries"].as_array())[1]["RequestCount"].integer_or(0), 1);
  ASSERT_TRUE(world.rules->update(*Json::parse(R"({"SamplingRuleUpdate":{"RuleName":"Default","FixedRate":0}})")));
  world.clock.advance(1s);
  EXPECT_EQ(world.sampled_of(1, {}), 1);
  ASSERT_TRUE(world.rules->remove(*Json::parse(R"({"RuleName":"health"})")));
  EXPECT_EQ(world.sampled_of(1, {}), 0) << "the reservoir of this second is used up";
  const double before = changed();
  world.clock.advance(5s);
  EXPECT_EQ(changed(), before);
  ASSERT_TRUE(world.create(kHealth));
  world.clock.advance(5s);
  ASSERT_TRUE(world.rules->remove(*Json::parse(R"({"RuleName":"health"})")));
  EXPECT_EQ(changed(), before + 10) << "SDKs ask for the rules again after one was deleted";
}

TEST(SamplingRules, RefusesWhatIsNoneAndKeepsTheDefault) {
  Rules world;
  ASSERT_TRUE(world.create(kHealth));
  EXPECT_FALSE(world.create(kHealth)) << "the name is taken";
  EXPECT_FALSE(world.create(R"({"SamplingRule":{"RuleName":"x","Priority":0,"FixedRate":0.1}})"));
  EXPECT_FALSE(world.create(R"({"SamplingRule":{"RuleName":"x","Priority":1,"FixedRate":1.1}})"));
  EXPECT_FALSE(world.rules->remove(*Json::parse(R"({"RuleName":"Default"})")));
  EXPECT_TRUE(world.rules->update(*Json::parse(R"({"SamplingRuleUpdate":{"RuleName":"Default","FixedRate":1}})")));
  EXPECT_EQ(world.sampled_of(100, {}), 100);
}

TEST(SamplingRules, ClientsShareAReservoir) {
  Rules world;
  const auto targets = [&](const char* client) {
    return world.rules->targets(*Json::parse(
        std::string(R"({"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":")") + client +
        R"(","Timestamp":1,"RequestCount":10,"SampledCount":1},{"RuleName":"none","ClientID":"a","Timestamp":1,"RequestCount":1,"SampledCount":1}]})"));
  };
  ASSERT_TRUE(world.rules->update(*Json::parse(R"({"SamplingRuleUpdate":{"RuleName":"Default","ReservoirSize":10}})")));
  const auto quota = [](const Json& json) {
    return (*json["SamplingTargetDocuments"].as_array())[0]["ReservoirQuota"].integer_or(-1);
  };
  EXPECT_EQ(quota(targets("a")), 10);
  EXPECT_EQ(quota(targets("b")), 5);
  world.clock.advance(60s);
  EXPECT_EQ(quota(targets("b")), 10);
  EXPECT_EQ(targets("a")["UnprocessedStatistics"].as_array()->size(), 1u);
}

TEST(Fits, StarsAndQuestionMarks) {
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("/v?/*/a*", "/V1/x/y/abc"));
  EXPECT_FALSE(fits("/v?/*/a*", "/v1/x/b"));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_TRUE(fits("a**b", "ab"));
}

}  // namespace
}  // namespace securebase::traces
