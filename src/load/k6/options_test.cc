#include "k6/options.h"

#include <gmock/gmock.h>

#include "k6/arrivals.h"
#include "k6/user_schedule.h"

namespace securebase::k6 {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

base::Json json(std::string_view text) {
  auto parsed = base::Json::parse(text);
  EXPECT_TRUE(parsed.has_value());
  return parsed ? *parsed : base::Json();
}

Options options(std::string_view text) {
  auto parsed = options_from(json(text));
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : Options{};
}

std::string error_of(std::string_view text) {
  auto parsed = options_from(json(text));
  if (!parsed) return parsed.error().message;
  std::vector<std::string> warnings;
  auto scenarios = scenarios_of(*parsed, warnings);
  return scenarios ? "" : scenarios.error().message;
}

Scenario only(const Options& options) {
  std::vector<std::string> warnings;
  auto scenarios = scenarios_of(options, warnings);
  EXPECT_TRUE(scenarios.has_value()) << (scenarios ? "" : scenarios.error().message);
  return scenarios ? scenarios->front() : Scenario{};
}

TEST(Duration, ReadsWhatK6Writes) {
  EXPECT_EQ(*parse_duration("1m30s"), seconds{90});
  EXPECT_EQ(*parse_duration("1.5s"), milliseconds{1500});
  EXPECT_EQ(*parse_duration("250"), milliseconds{250});
  EXPECT_EQ(*parse_duration("1d2h"), std::chrono::hours{26});
  EXPECT_EQ(*parse_duration("0s"), seconds{0});
  for (const char* wrong : {"", "abc", "-1s", "1x", "s", "1s2", "1e9d", "999999999d"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  EXPECT_EQ(duration_text(seconds{5400}), "1h30m0s");
  EXPECT_EQ(duration_text(milliseconds{1500}), "1.5s");
}

TEST(OptionsOf, TheGuidesStagesBecomeOneRampingScenario) {
  const auto scenario = only(options(R"({"stages":[{"duration":"1m","target":50},{"duration":"5m","target":100},
      {"duration":"1m","target":200},{"duration":"1m","target":0}],"thresholds":{"http_req_duration":["p(95)<100"],"http_req_failed":["rate<0.01"]}})"));
  EXPECT_EQ(scenario.executor, Executor::kRampingVus);
  EXPECT_EQ(scenario.users_at_most(), 200);
  EXPECT_EQ(scenario.regular_duration(), minutes{8});
}

TEST(OptionsOf, AShortcutFromAHigherLevelReplacesScenariosOfALowerOne) {
  Options script = options(R"({"scenarios":{"a":{"executor":"constant-vus","duration":"10s"}},"tags":{"x":"1"}})");
  Options line;
  line.vus = 3;
  line.iterations = 9;
  script.apply(line);
  const auto scenario = only(script);
  EXPECT_EQ(scenario.executor, Executor::kSharedIterations);
  EXPECT_EQ(scenario.vus, 3);
  EXPECT_EQ(script.tags.at("x"), "1");
}

TEST(OptionsOf, WhatIsWrongIsNamedByItsPath) {
  EXPECT_THAT(error_of(R"({"scenarios":{"a":{"executor":"constant-vu","duration":"10s"}}})"),
              HasSubstr("options.scenarios.a.executor: expected one of"));
  EXPECT_THAT(error_of(R"({"scenarios":{"a":{"executor":"constant-arrival-rate","duration":"10s","rate":5}}})"),
              HasSubstr("preAllocatedVUs: is missing"));
  EXPECT_THAT(error_of(R"({"stages":[{"duration":"x","target":1}]})"),
              HasSubstr("options.stages[0].duration: 'x' is not a duration"));
  EXPECT_THAT(error_of(R"({"thresholds":{"http_req_duration":["p(95<100"]}})"),
              HasSubstr("at character 5: expected ')'"));
  EXPECT_THAT(error_of(R"({"thresholds":{"a{b}":["rate<1"]}})"), HasSubstr("the tag 'b' has no value"));
  EXPECT_THAT(error_of(R"({"vus":-1})"), HasSubstr("options.vus: expected a whole number"));
  EXPECT_THAT(error_of(R"({"vus":10,"iterations":3})"), HasSubstr("3 iterations cannot be shared by 10 users"));
  EXPECT_THAT(error_of(R"({"duration":"10s","stages":[{"duration":"1s","target":1}]})"),
              HasSubstr("cannot be together"));
  EXPECT_THAT(error_of(R"({"vus":1000000,"duration":"5s"})"), HasSubstr("at most 20000"));
}

TEST(OptionsOf, NamesAreLookedUpAsItIsAskedFor) {
  const auto of_text = options(R"({"dns":"ttl=1m,select=first,policy=onlyIPv6"})");
  EXPECT_EQ(*of_text.dns_ttl, minutes{1});
  EXPECT_EQ(*of_text.dns_select, "first");
  EXPECT_EQ(*of_text.dns, "onlyIPv6");
  const auto of_object = options(R"({"dns":{"ttl":"inf","select":"random"}})");
  EXPECT_EQ(*of_object.dns_ttl, Nanoseconds::max());
  EXPECT_FALSE(of_object.dns.has_value());
  EXPECT_EQ(*options(R"({"dns":{"ttl":0}})").dns_ttl, seconds{0});
  EXPECT_THAT(error_of(R"({"dns":{"select":"last"}})"), HasSubstr("options.dns.select: expected one of first, random"));
  EXPECT_THAT(error_of(R"({"dns":"when=now"})"),
              HasSubstr("options.dns: expected ttl, select or policy, found 'when'"));
  EXPECT_THAT(error_of(R"({"dns":{"ttl":"soon"}})"), HasSubstr("options.dns.ttl: 'soon'"));
}

TEST(OptionsOf, WhatIsNotHereIsRefusedAndNotLeftOut) {
  EXPECT_THAT(error_of(R"({"paused":true})"), HasSubstr("options.paused: a run cannot wait"));
  EXPECT_EQ(error_of(R"({"paused":false,"executionSegment":null})"), "");
  EXPECT_THAT(error_of(R"({"executionSegment":"0:1/2"})"), HasSubstr("options.executionSegment: segments"));
  EXPECT_THAT(error_of("{\"userAgent\":\"a\\r\\nX: b\"}"), HasSubstr("options.userAgent: it has a character"));
}

TEST(OptionsOf, UnknownNamesAreGivenForAWarning) {
  std::vector<std::string> unknown;
  ASSERT_TRUE(options_from(json(R"({"vuss":1,"ext":{},"rps":5})"), &unknown).has_value());
  EXPECT_THAT(unknown, testing::ElementsAre("vuss"));
}

TEST(Thresholds, ParseAndJudge) {
  auto threshold = parse_threshold(" p(99.9) <= 250.5 ");
  ASSERT_TRUE(threshold.has_value());
  EXPECT_EQ(threshold->statistic, Statistic::kPercentile);
  EXPECT_DOUBLE_EQ(threshold->percentile, 99.9);
  EXPECT_TRUE(threshold->holds(250.5));
  EXPECT_FALSE(threshold->holds(250.6));
  EXPECT_TRUE(parse_threshold("rate===1")->holds(1));
  EXPECT_TRUE(parse_threshold("count!=0")->holds(1));
  for (const char* wrong : {"", "p95<100", "p(101)<1", "avg", "avg<", "avg<x", "avg<1 and med<2", "avg=1"}) {
    EXPECT_FALSE(parse_threshold(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(fits(*parse_threshold("p(95)<1"), load::Kind::kRate).has_value());
  EXPECT_TRUE(fits(*parse_threshold("rate<1"), load::Kind::kRate).has_value());
  load::Value value;
  value.kind = load::Kind::kTrend;
  for (int i = 1; i <= 1000; ++i) value.sketch.add(i);
  value.count = 1000;
  EXPECT_NEAR(*parse_threshold("p(95)<1")->observed(value, seconds{1}), 950, 8);
  EXPECT_NEAR(*trend_statistic(value, "p(99.9)"), 999, 8);
  EXPECT_DOUBLE_EQ(*trend_statistic(value, "count"), 1000);
  EXPECT_FALSE(trend_statistic(value, "p99").has_value());
}

TEST(Thresholds, SelectorsHaveTags) {
  auto selector = parse_selector("http_req_duration{status:200, name:http://a/b}");
  ASSERT_TRUE(selector.has_value());
  EXPECT_EQ(selector->metric, "http_req_duration");
  ASSERT_EQ(selector->tags.size(), 2U);
  EXPECT_EQ(selector->tags[0].first, "name");
  EXPECT_EQ(selector->tags[0].second, "http://a/b");
}

Scenario scenario_of(std::string_view text) {
  auto scenario = scenario_from("s", json(text));
  EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : scenario.error().message);
  return scenario ? *scenario : Scenario{};
}

TEST(OptionsOfTheEnvironment, HaveTags) {
  const auto read = [](const char* tags) {
    static const char* given;
    given = tags;
    return options_from_environment(
        [](const char* name) -> const char* { return std::string_view(name) == "K6_TAGS" ? given : nullptr; });
  };
  const auto tags = read("region:eu,build:17");
  ASSERT_TRUE(tags.has_value());
  EXPECT_EQ(tags->tags, (std::map<std::string, std::string>{{"region", "eu"}, {"build", "17"}}));
  for (const char* wrong : {"region", ":eu", "a:b:c", "a:b,", ","}) EXPECT_FALSE(read(wrong).has_value()) << wrong;
}

TEST(OptionsOfALevel, ReplaceThoseBelowWhole) {
  Options script;
  script.tags = {{"a", "1"}, {"b", "2"}};
  script.hosts = {{"x.test", "127.0.0.1"}};
  Options higher;
  script.apply(higher);
  EXPECT_EQ(script.tags.size(), 2U);
  higher.tags = {{"a", "3"}};
  script.apply(higher);
  EXPECT_EQ(script.tags, higher.tags);
  EXPECT_EQ(script.hosts.size(), 1U);
}

TEST(ArrivalSchedule, AConstantRateIsEvenAndBeginsAtOnce) {
  Arrivals arrivals(scenario_of(
      R"({"executor":"constant-arrival-rate","rate":30,"timeUnit":"1m","duration":"10s","preAllocatedVUs":1})"));
  std::vector<Nanoseconds> due;
  while (const auto next = arrivals.next()) due.push_back(*next);
  ASSERT_EQ(due.size(), 5U);
  EXPECT_EQ(due[0], seconds{0});
  EXPECT_EQ(due[4], seconds{8});
}

TEST(ArrivalSchedule, ARampHasAsManyArrivalsAsTheAreaBelowIt) {
  const auto scenario = scenario_of(R"({"executor":"ramping-arrival-rate","startRate":0,"preAllocatedVUs":1,
      "stages":[{"duration":"10s","target":100},{"duration":"5s","target":100},{"duration":"10s","target":0}]})");
  Arrivals arrivals(scenario);
  std::size_t count = 0;
  Nanoseconds before{};
  std::size_t in_first = 0;
  while (const auto next = arrivals.next()) {
    EXPECT_GE(*next, before);
    before = *next;
    ++count;
    if (*next <= seconds{10}) ++in_first;
  }
  EXPECT_NEAR(static_cast<double>(count), 1500, 1);
  EXPECT_NEAR(static_cast<double>(in_first), 500, 1);
  EXPECT_DOUBLE_EQ(arrivals.rate_at(seconds{5}), 50);
}

TEST(UserSchedule, StagesRampOneUserAtATime) {
  const auto scenario = scenario_of(
      R"({"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"10s","target":10},{"duration":"10s","target":0}]})");
  const auto first = stretches_of(scenario, 0);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].begin, seconds{1});
  EXPECT_EQ(first[0].end, seconds{20});
  const auto tenth = stretches_of(scenario, 9);
  ASSERT_EQ(tenth.size(), 1U);
  EXPECT_EQ(tenth[0].begin, seconds{10});
  EXPECT_EQ(tenth[0].end, seconds{11});
  EXPECT_EQ(users_wanted(scenario, seconds{5}), 5);
  EXPECT_EQ(users_wanted(scenario, milliseconds{12500}), 8);
}

TEST(UserSchedule, AJumpIsAStageWithoutDuration) {
  const auto scenario = scenario_of(
      R"({"executor":"ramping-vus","startVUs":1,"stages":[{"duration":"5s","target":1},{"duration":0,"target":4},{"duration":"5s","target":4}]})");
  EXPECT_EQ(stretches_of(scenario, 3)[0].begin, seconds{5});
  EXPECT_EQ(stretches_of(scenario, 3)[0].end, seconds{10});
}

TEST(UserSchedule, ScenariosThatFollowEachOtherShareTheirUsers) {
  auto a = scenario_of(R"({"executor":"constant-vus","vus":10,"duration":"10s","gracefulStop":"0s"})");
  auto b = a;
  b.start_time = seconds{10};
  EXPECT_EQ(users_needed({a, b}, true), 10);
  b.start_time = seconds{9};
  EXPECT_EQ(users_needed({a, b}, true), 20);
}

}  // namespace
}  // namespace securebase::k6
