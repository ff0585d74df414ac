#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

using testing::HasSubstr;

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

TEST(LoadTestCheck, FailsWhenWhatWasAimedHereDidNotGetThrough) {
  World world;
  world.facts.addresses = {"http://127.0.0.1:8080", "https://127.0.0.1:8443"};
  world.numbers.set("AWS/CloudFront", "Requests", "DistributionId", "E1", "Sum", 0, 0);
  auto shut_out = passed_run();
  shut_out.verdict = RunVerdict::kFail;
  shut_out.errors_percent = 100;
  shut_out.failed_thresholds = {"errors<1%"};
  const auto decision = [&](const char* target) {
    shut_out.target = target;
    world.facts.runs = {shut_out};
    return world.of(Gate::kPreDeploy, "load-test");
  };
  for (const char* ours :
       {"http://127.0.0.1:8080/api/v1/health", "http://localhost:8080", "https://localhost:8443/?a"}) {
    const auto failed = decision(ours);
    EXPECT_EQ(failed.decision, Decision::kFail) << ours;
    EXPECT_THAT(failed.evidence,
                testing::Contains(HasSubstr("it was aimed at this platform; of the load test's 1000")));
  }
  for (const char* another : {"http://127.0.0.1:80801/", "http://other:8080/", "http://localhosts:8080/", ""}) {
    const auto undecided = decision(another);
    EXPECT_EQ(undecided.decision, Decision::kInsufficient) << another;
    EXPECT_THAT(undecided.reason, HasSubstr("did not get through"));
  }
  // Passing needs to be seen here, whatever was typed.
  shut_out.verdict = RunVerdict::kPass;
  EXPECT_EQ(decision("http://127.0.0.1:8080/").decision, Decision::kInsufficient);
}

TEST(LoadTestCheck, SaysWhatToDoAboutEachRunThatSaidNothing) {
  World world;
  for (const auto& [verdict, words] : {std::pair{RunVerdict::kNone, "--criteria guide"},
                                       {RunVerdict::kInsufficient, "--duration"},
                                       {RunVerdict::kInvalid, "--threads"},
                                       {RunVerdict::kInterrupted, "to its end"}}) {
    auto run = passed_run();
    run.verdict = verdict;
    world.facts.runs = {run};
    EXPECT_THAT(world.of(Gate::kPreDeploy, "load-test").fix, HasSubstr(words));
  }
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
  world.facts.topics = {{kTopic, 0, 0, "", "", 1}};
  EXPECT_THAT(world.of(Gate::kPreDeploy, "alarms").evidence.front(), HasSubstr("wait to be confirmed"));
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

}  // namespace
}  // namespace securebase::advisor
