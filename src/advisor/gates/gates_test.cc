#include "advisor/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace securebase::advisor {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr base::TimePoint kAt{seconds{1'795'737'600}};
constexpr const char* kTopic = "arn:aws:sns:us-east-1:123456789012:alerts";

// What was recorded when: the samples of a window count, weighted as averages are.
class Numbers final : public monitoring::Series {
 public:
  // From `since` on, at each time that is asked for.
  void set(std::string name_space, std::string metric, std::string dimension, std::string of, std::string statistic,
           double value, std::uint64_t samples, base::TimePoint since = kAt - hours{24 * 400},
           base::TimePoint until = kAt + hours{24 * 400}) {
    monitoring::MetricId id{std::move(name_space), std::move(metric), {{std::move(dimension), std::move(of)}}};
    auto& stretches = points_[{id, std::move(statistic)}];
    std::erase_if(stretches, [since](const Stretch& one) { return one.since == since; });
    stretches.push_back({since, until, {since, value, samples}});
  }
  Result<std::vector<monitoring::Point>> read(const monitoring::MetricQuery&) const override {
    return std::vector<monitoring::Point>{};
  }
  Result<std::optional<monitoring::Point>> whole(const monitoring::MetricQuery& query) const override {
    const auto found = points_.find({query.metric, query.statistic});
    if (found == points_.end()) return std::optional<monitoring::Point>{};
    for (const auto& one : found->second) {
      if (query.from < one.until && one.since < query.to) return std::optional(one.point);
    }
    return std::optional<monitoring::Point>{};
  }
  std::vector<monitoring::MetricId> list(const monitoring::MetricFilter& filter) const override {
    std::vector<monitoring::MetricId> found;
    for (const auto& [key, points] : points_) {
      const auto& id = key.first;
      if (id.name_space != filter.name_space || id.name != filter.name) continue;
      if (!filter.dimensions.empty() && id.dimensions.front().first != filter.dimensions.front().first) continue;
      if (found.empty() || found.back() != id) found.push_back(id);
    }
    return found;
  }
  std::optional<base::TimePoint> newest(const monitoring::MetricId& id) const override {
    std::optional<base::TimePoint> last;
    for (const auto& [key, points] : points_) {
      if (key.first != id) continue;
      for (const auto& one : points) last = std::max(last.value_or(one.since), std::min(one.until, kAt));
    }
    return last;
  }

 private:
  struct Stretch {
    base::TimePoint since;
    base::TimePoint until;
    monitoring::Point point;
  };
  std::map<std::pair<monitoring::MetricId, std::string>, std::vector<Stretch>> points_;
};

struct World {
  Numbers numbers;
  Facts facts;
  World() {
    facts.now = kAt;
    facts.deployed = kAt - hours{48};
    facts.configuration = "c0ffee";
    facts.series = &numbers;
    // What load tests send comes here.
    numbers.set("AWS/CloudFront", "Requests", "DistributionId", "E1", "Sum", 1000, 1000);
  }
  Check of(Gate gate, std::string_view id, const std::vector<Waiver>& waivers = {}) const {
    for (auto& one : check(gate, facts, waivers).checks) {
      if (one.id == id) return one;
    }
    ADD_FAILURE() << "no check " << id;
    return {};
  }
};

LoadRun passed_run() {
  LoadRun run;
  run.began = kAt - hours{2};
  run.ended = kAt - hours{1};
  run.tool = "k6";
  run.scenario = "load-test.js";
  run.configuration = "c0ffee";
  run.verdict = RunVerdict::kPass;
  run.requests = 1000;
  return run;
}

monitoring::AlarmView alarm_on(std::string name_space, std::string metric) {
  monitoring::AlarmView view;
  view.definition.name = "on-" + metric;
  view.definition.alarm_actions = {kTopic};
  monitoring::MetricRule rule;
  rule.metric = monitoring::MetricStat{{std::move(name_space), std::move(metric), {}}, seconds{60}, "Sum", {}};
  view.definition.rule = rule;
  return view;
}

std::vector<monitoring::AlarmView> the_eight() {
  return {alarm_on("AWS/ApiGateway", "Latency"),         alarm_on("AWS/Lambda", "Errors"),
          alarm_on("AWS/Lambda", "Throttles"),           alarm_on("AWS/ApiGateway", "5XXError"),
          alarm_on("AWS/DynamoDB", "ThrottledRequests"), alarm_on("AWS/ElastiCache", "CPUUtilization"),
          alarm_on("AWS/CloudFront", "5xxErrorRate"),    alarm_on("AWS/ElastiCache", "DatabaseMemoryUsagePercentage")};
}

TEST(Gates, WithoutAnyEvidenceNothingPasses) {
  const World world;
  for (const auto gate : {Gate::kPreDeploy, Gate::kPostDeploy, Gate::kMonthly}) {
    const auto report = check(gate, world.facts, {});
    EXPECT_EQ(report.checks.size(), 5u);
    EXPECT_NE(exit_code(report), 0);
    for (const auto& one : report.checks) {
      EXPECT_NE(one.decision, Decision::kPass) << one.id;
      EXPECT_FALSE(one.reason.empty()) << one.id;
      EXPECT_FALSE(one.fix.empty()) << one.id;
    }
  }
}

TEST(LoadTestCheck, CountsOnlyAFreshValidRunWithThresholdsOnThisConfiguration) {
  World world;
  world.facts.runs = {passed_run()};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kPass);
  world.facts.freshness = hours{0};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  world.facts.freshness = hours{24};

  auto& run = world.facts.runs.front();
  run.configuration = "another";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  run = passed_run();
  run.verdict = RunVerdict::kInvalid;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  run = passed_run();
  run.verdict = RunVerdict::kNone;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  run = passed_run();
  run.began -= hours{30};
  run.ended -= hours{30};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
}

TEST(LoadTestCheck, CountsNoneOfSomethingElse) {
  World world;
  world.facts.runs = {passed_run()};
  world.facts.runs.front().requests = 2000;  // 1000 came here
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  world.facts.runs.front().requests = 0;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
}

TEST(WarmingCheck, IsAWordAndHasToHaveMadeRequests) {
  World world;
  auto run = passed_run();
  for (const auto& [name, decision] :
       {std::pair{"warm-up.yml", Decision::kPass}, std::pair{"cache_Warming.js", Decision::kPass},
        std::pair{"swarm.yml", Decision::kInsufficient}}) {
    run.scenario = name;
    world.facts.runs = {run};
    EXPECT_EQ(world.of(Gate::kPreDeploy, "cache-warming").decision, decision) << name;
  }
  run.scenario = "warm.yml";
  run.errors_percent = 2;
  world.facts.runs = {run};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "cache-warming").decision, Decision::kFail);
}

TEST(DashboardsCheck, NeedsSamplesOfTheLastDayInHalfOfWhatIsShown) {
  World world;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "dashboards").decision, Decision::kFail);
  world.facts.dashboards = {
      {"d", R"({"widgets":[{"properties":{"metrics":[["AWS/CloudFront","Requests"],["A","B"]]}}]})", kAt, true}};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "dashboards").decision, Decision::kPass);
  world.facts.dashboards.front().body = R"({"widgets":[{"properties":{"metrics":[["A","C"],["A","B"]]}}]})";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "dashboards").decision, Decision::kInsufficient);
  world.facts.dashboards.front().body = "{}";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "dashboards").decision, Decision::kInsufficient);
}

TEST(LoadTestCheck, FailsWithTheNewestRun) {
  World world;
  auto failed = passed_run();
  failed.ended += seconds{60};
  failed.verdict = RunVerdict::kFail;
  failed.failed_thresholds = {"http_req_duration p(95)<100: 180"};
  world.facts.runs = {passed_run(), failed};
  const auto result = world.of(Gate::kPreDeploy, "load-test");
  EXPECT_EQ(result.decision, Decision::kFail);
  EXPECT_THAT(result.evidence, testing::Contains(HasSubstr("p(95)<100: 180")));
}

TEST(LoadTestCheck, IsNotUndoneByAnotherTest) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  auto other = passed_run();
  other.scenario = "other.js";
  world.facts.runs = {failed, other};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kFail);
  world.facts.runs = {failed, other, passed_run()};  // the same test, and now it passes
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kPass);
  // What says nothing takes nothing back: neither a failure nor a pass.
  auto late = passed_run();
  late.verdict = RunVerdict::kInvalid;
  world.facts.runs = {failed, late};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kFail);
  world.facts.runs = {passed_run(), late};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kPass);
}

TEST(LoadTestCheck, RestsOnTheOneThatIsNamed) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  auto declared = passed_run();
  declared.tool = "securebase load";
  declared.scenario = "baseline";
  declared.name = "checkout";
  world.facts.runs = {failed, declared};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kFail);
  world.facts.load_test = "checkout";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kPass);
  world.facts.load_test = "load-test.js";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kFail);
  world.facts.load_test = "browse";
  const auto none = world.of(Gate::kPreDeploy, "load-test");
  EXPECT_EQ(none.decision, Decision::kInsufficient);
  EXPECT_THAT(none.reason, HasSubstr("no load test \"browse\" ran"));
}

TEST(LoadTestCheck, LeavesOutWarmingAndCapacity) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  auto warming = passed_run();
  warming.scenario = "warm-up.js";
  auto capacity = passed_run();
  capacity.scenario = "capacity";
  world.facts.runs = {failed, warming, capacity};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kFail);
  world.facts.runs = {warming, capacity};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kInsufficient);
  warming.verdict = capacity.verdict = RunVerdict::kFail;
  world.facts.runs = {passed_run(), warming, capacity};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "load-test").decision, Decision::kPass);
}

TEST(AlarmsCheck, NeedsAllEightAndSomebodyWhoWasReached) {
  World world;
  world.facts.alarms = the_eight();
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kFail);  // there is no such topic
  world.facts.topics = {{kTopic, 2, 1, "2026-11-27T05:00:00.000Z", ""}};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kPass);

  world.facts.topics = {{kTopic, 0, 0, "", ""}};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kFail);
  world.facts.topics = {{kTopic, 1, 0, "", "connection refused"}};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kFail);

  world.facts.topics = {{kTopic, 2, 1, "2026-11-27T05:00:00.000Z", ""}};
  world.facts.alarms.pop_back();
  const auto missing = world.of(Gate::kPreDeploy, "alarms");
  EXPECT_EQ(missing.decision, Decision::kFail);
  EXPECT_THAT(missing.evidence, testing::Contains("ElastiCache memory: there is no such alarm"));

  world.facts.alarms = the_eight();
  world.facts.alarms.front().definition.actions_enabled = false;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kFail);
}

TEST(AlarmsCheck, DoesNotMindATopicThatNoAlarmTells) {
  World world;
  world.facts.alarms = the_eight();
  world.facts.topics = {{kTopic, 2, 1, "2026-11-27T05:00:00.000Z", ""}, {"arn:aws:sns:::unused", 0, 0, "", ""}};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kPass);
  world.facts.topics.front().reached = 0;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "alarms").decision, Decision::kInsufficient);
}

TEST(RollbackCheck, CountsARehearsalOfThisWayOnly) {
  World world;
  EXPECT_EQ(world.of(Gate::kPreDeploy, "rollback").decision, Decision::kInsufficient);
  world.facts.earlier_configuration = "b0a710ad";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "rollback").decision, Decision::kInsufficient);
  world.facts.rehearsal = Rehearsal{kAt - hours{1}, "c0ffee", "b0a710ad", "2 changed"};
  EXPECT_EQ(world.of(Gate::kPreDeploy, "rollback").decision, Decision::kPass);
  world.facts.rehearsal->from = "another";
  EXPECT_EQ(world.of(Gate::kPreDeploy, "rollback").decision, Decision::kInsufficient);
}

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

TEST(Waived, CountsAsPassedUntilItsDay) {
  World world;
  const Waiver waiver{"pre-deploy/load-test", "ana", "the generator's host is down", kAt + hours{1}, kAt};
  EXPECT_TRUE(world.of(Gate::kPreDeploy, "load-test", {waiver}).counts_as_passed());
  world.facts.now += hours{2};
  EXPECT_FALSE(world.of(Gate::kPreDeploy, "load-test", {waiver}).counts_as_passed());
}

class GateFiles : public testing::Test {
 protected:
  GateFiles() : directory_(fs::temp_directory_path() / ("gates." + std::to_string(getpid()))) {
    fs::create_directories(directory_);
  }
  ~GateFiles() override { fs::remove_all(directory_); }
  const fs::path directory_;
};

TEST_F(GateFiles, KeepWaivers) {
  const auto file = directory_ / "waivers.json";
  {
    auto waivers = Waivers::open(file);
    ASSERT_TRUE(waivers);
    EXPECT_TRUE(waivers->add({"monthly/cost", "ana", "known", kAt + hours{24}, kAt}));
    EXPECT_EQ(waivers->add({"monthly/costs", "ana", "known", kAt + hours{24}, kAt}).error().code, Errc::kMalformed);
    EXPECT_EQ(waivers->add({"monthly/cost", "", "known", kAt + hours{24}, kAt}).error().code, Errc::kMalformed);
    EXPECT_EQ(waivers->add({"monthly/cost", "ana", "known", kAt + hours{24 * 91}, kAt}).error().code, Errc::kLimit);
  }
  auto again = Waivers::open(file);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->all().size(), 1u);
  EXPECT_EQ(again->all().front().owner, "ana");
  EXPECT_EQ(again->all().front().until, kAt + hours{24});
  EXPECT_EQ(again->remove("monthly/memory").error().code, Errc::kNotFound);
  EXPECT_TRUE(again->remove("monthly/cost"));
}

TEST_F(GateFiles, KeepLoadRuns) {
  const auto file = directory_ / "runs.jsonl";
  {
    auto runs = LoadRuns::open(file);
    ASSERT_TRUE(runs);
    auto run = passed_run();
    run.name = "checkout";
    run.scaling_seconds = 2.5;
    run.users = 500;
    run.seconds = 120.5;
    run.limit_ms = 100;
    run.rise_seconds = 10;
    EXPECT_TRUE(runs->add(run));
  }
  std::ofstream(file, std::ios::app) << "{\"torn";
  auto again = LoadRuns::open(file);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->all().size(), 1u);
  const auto run = again->all().front();
  EXPECT_EQ(run.scenario, "load-test.js");
  EXPECT_EQ(run.verdict, RunVerdict::kPass);
  EXPECT_EQ(run.scaling_seconds, 2.5);
  EXPECT_EQ(run.name, "checkout");
  EXPECT_EQ(run.users, 500u);
  EXPECT_EQ(run.seconds, 120.5);
  EXPECT_EQ(run.limit_ms, 100);
  EXPECT_EQ(run.rise_seconds, 10);
}

TEST(LoadTestCheck, TellsTooFewSamplesFromNoThresholds) {
  World world;
  auto run = *load_run_from(*base::Json::parse(
      R"({"began_ms":1,"ended_ms":2,"tool":"k6","scenario":"a.js","verdict":"insufficient evidence"})"));
  EXPECT_EQ(run.verdict, RunVerdict::kInsufficient);
  EXPECT_EQ(to_json(run)["verdict"].string_or(""), "insufficient evidence");
  auto few = passed_run();
  few.verdict = run.verdict;
  world.facts.runs = {few};
  const auto result = world.of(Gate::kPreDeploy, "load-test");
  EXPECT_EQ(result.decision, Decision::kInsufficient);
  EXPECT_THAT(result.reason, HasSubstr("too few samples"));
}

TEST(LoadRunRecord, OfBeforeThereWasAVerdictIsUnderstood) {
  const auto verdict = [](const char* more) {
    const auto text = std::string(R"({"began_ms":1,"ended_ms":2,"tool":"k6","scenario":"a.js",)") + more + "}";
    const auto run = load_run_from(*base::Json::parse(text));
    return run ? std::string(to_string(run->verdict)) : run.error().message;
  };
  EXPECT_EQ(verdict(R"("valid":true,"passed":true)"), "pass");
  EXPECT_EQ(verdict(R"("valid":true,"passed":false)"), "fail");
  EXPECT_EQ(verdict(R"("valid":true)"), "none");
  EXPECT_EQ(verdict(R"("valid":false,"passed":true)"), "invalid");
  EXPECT_THAT(verdict(R"("verdict":"great")"), HasSubstr("not \"great\""));
}

TEST(Rendered, JunitEscapesAndCounts) {
  World world;
  auto failed = passed_run();
  failed.verdict = RunVerdict::kFail;
  failed.failed_thresholds = {"p(95)<100 & \"more\""};
  world.facts.runs = {failed};
  const auto xml = to_junit(check(Gate::kPreDeploy, world.facts, {}));
  EXPECT_THAT(xml, HasSubstr("tests=\"5\" failures=\"3\" errors=\"2\""));
  EXPECT_THAT(xml, HasSubstr("p(95)&lt;100 &amp; &quot;more&quot;"));
  const auto json = to_json(check(Gate::kPreDeploy, world.facts, {}));
  EXPECT_EQ(json["exit_code"].integer_or(-1), 1);
}

}  // namespace
}  // namespace securebase::advisor
