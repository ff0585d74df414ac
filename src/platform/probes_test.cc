#include "platform/probes.h"

#include <gtest/gtest.h>

namespace securebase::platform {
namespace {

using namespace std::chrono_literals;

constexpr base::TimePoint kNow{std::chrono::seconds{1'795'737'600}};

UptimeSample sample(base::TimePoint time) {
  return {"CloudWatchSynthetics", "SuccessPercent", "Percent", "portal", time, 0, 60};
}

TEST(UptimeRecords, OfAnOutageOfWeeksTheLastTwoCount) {
  std::vector<UptimeSample> outage;
  for (auto time = kNow - 24h * 21; time <= kNow; time += 1h) outage.push_back(sample(time));
  const auto recorded = recordable(outage, kNow);
  EXPECT_EQ(recorded.size(), 24u * 14);
  EXPECT_EQ(recorded.front().time, kNow - 24h * 14 + 1h) << "an hour inside of what the store takes";
  EXPECT_EQ(recorded.back().time, kNow);
}

TEST(UptimeRecords, AClockThatWasAheadHidesNothing) {
  const std::vector samples{sample(kNow + 3h), sample(kNow + 1h), sample(kNow)};
  const auto recorded = recordable(samples, kNow);
  ASSERT_EQ(recorded.size(), 2u);
  EXPECT_EQ(recorded[0].time, kNow + 1h);
}

TEST(UptimeRecords, AreOfTheCanaryBySeconds) {
  const std::vector samples{sample(kNow)};
  const auto recorded = recordable(samples, kNow);
  ASSERT_EQ(recorded.size(), 1u);
  EXPECT_EQ(recorded[0].metric.name_space, "CloudWatchSynthetics");
  EXPECT_EQ(recorded[0].metric.name, "SuccessPercent");
  EXPECT_EQ(recorded[0].metric.dimensions, (decltype(recorded[0].metric.dimensions){{"CanaryName", "portal"}}));
  EXPECT_EQ(recorded[0].unit, "Percent");
  EXPECT_TRUE(recorded[0].high_resolution);
  EXPECT_EQ(recorded[0].values, (decltype(recorded[0].values){{0, 60}}));
}

stack::Stack with_distribution(stack::Value tags) {
  stack::Resource distribution;
  distribution.type = "aws_cloudfront_distribution";
  distribution.name = "portal";
  distribution.address = "aws_cloudfront_distribution.portal";
  distribution.attributes = stack::Value::map(
      {{"id", stack::Value("E1")}, {"domain_name", stack::Value("e1.example")}, {"tags", std::move(tags)}});
  stack::Stack stack;
  stack.resources.push_back(std::move(distribution));
  return stack;
}

TEST(UptimeTargets, AreTheWordsOfTheTag) {
  const auto tagged = [](const char* text) {
    return targets_of(with_distribution(stack::Value::map({{"securebase:probe", stack::Value(text)}})),
                      "http://127.0.0.1:8080");
  };
  EXPECT_EQ(tagged("portal=/ api=/api/v1/health"),
            (std::vector<prober::Target>{{"portal", "http://127.0.0.1:8080/", "e1.example"},
                                         {"api", "http://127.0.0.1:8080/api/v1/health", "e1.example"}}));
  EXPECT_EQ(tagged(" a=/x  wrong =/y b= c=d e=/z").size(), 2u) << "what is no canary=/path is left out";
}

TEST(UptimeTargets, WithoutATagIsTheFirstPage) {
  EXPECT_EQ(targets_of(with_distribution(stack::Value()), "http://h"),
            (std::vector<prober::Target>{{"E1", "http://h/", "e1.example"}}));
  EXPECT_TRUE(targets_of(stack::Stack{}, "http://h").empty());
}

}  // namespace
}  // namespace securebase::platform
