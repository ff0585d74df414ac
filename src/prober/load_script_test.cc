#include "prober/load_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace securebase::prober {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string request(std::string_view name, int status, bool expected, double ms = 5.3) {
  return R"({"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-27T12:37:50.052Z","value":)" +
         std::to_string(ms) + R"(,"tags":{"name":")" + std::string(name) + R"(","expected_response":")" +
         (expected ? "true" : "false") + R"(","status":")" + std::to_string(status) + R"("}}})" + "\n";
}
std::string check(std::string_view name, bool held) {
  return R"({"metric":"checks","type":"Point","data":{"value":)" + std::string(held ? "1" : "0") +
         R"(,"tags":{"check":")" + std::string(name) + "\"}}}\n";
}
CanaryRun k6(const std::string& samples, int exit_code = 0, std::string_view output = "") {
  CanaryRun run;
  take_k6_samples(samples, exit_code, output, run);
  return run;
}
CanaryRun artillery(const std::string& counters, int exit_code = 0) {
  const std::string summaries = R"json({"plugins.metrics-by-endpoint.response_time./x (home)":{"max":30.9}})json";
  const std::string report = R"({"aggregate":{"counters":{)" + counters + R"(},"summaries":)" + summaries + "}}";
  CanaryRun run;
  take_artillery_report(report, exit_code, "thresholds\nError: p95 is too much\n", run);
  return run;
}

TEST(LoadScript, IsKnownByItsEnding) {
  EXPECT_EQ(load_tool_of("checkout.js"), LoadTool::kK6);
  EXPECT_EQ(load_tool_of("checkout.yml"), LoadTool::kArtillery);
  EXPECT_TRUE(is_load_script("a/b.yaml"));
  EXPECT_FALSE(is_load_script("look.handler"));
}

TEST(LoadScript, IsOneVisit) {
  Canary canary;
  canary.code = "/code";
  canary.handler = "checkout.js";
  Workshop shop;
  shop.programs = "/opt/bin";
  const auto words = load_words(canary, shop, "/run/results");
  EXPECT_EQ(words.front(), "/opt/bin/securebase-k6");
  EXPECT_EQ(words.back(), "/code/checkout.js");
  EXPECT_THAT(words, Contains("json=/run/results"));
  EXPECT_THAT(words, Contains("--iterations"));
}

TEST(K6Visit, PassesWhenEverythingIsAsExpected) {
  const auto run = k6(request("home", 200, true) + request("home", 200, true, 2) + check("is 200", true));
  EXPECT_TRUE(run.passed) << run.reason;
  EXPECT_EQ(run.answers_2xx, 2u);
  ASSERT_THAT(run.steps, SizeIs(1));
  EXPECT_EQ(run.steps[0].duration, milliseconds{7}) << "of both requests of the name";
}

TEST(K6Visit, FailsByACheckThatDoesNotHold) {
  const auto run = k6(request("home", 200, true) + check("has a title", false));
  EXPECT_FALSE(run.passed);
  EXPECT_TRUE(run.executed);
  EXPECT_THAT(run.reason, HasSubstr("has a title"));
}

TEST(K6Visit, FailsByAnAnswerThatNobodyExpected) {
  EXPECT_THAT(k6(request("home", 404, false)).reason, HasSubstr("home: status 404"));
  EXPECT_TRUE(k6(request("home", 404, false) + check("is 404", true)).passed) << "the script looks itself";
  EXPECT_TRUE(k6(request("home", 503, true)).passed) << "expectedStatuses(503)";
  const auto broken = k6(request("home", 503, false) + check("anything", true));
  EXPECT_FALSE(broken.passed);
  EXPECT_FALSE(broken.steps[0].passed);
  EXPECT_EQ(broken.answers_5xx, 1u);
}

TEST(K6Visit, FailsWithoutAnAnswerAndWithoutAQuestion) {
  const auto run = k6(request("home", 0, false));
  EXPECT_EQ(run.failed_requests, 1u);
  EXPECT_THAT(run.reason, HasSubstr("no answer"));
  EXPECT_THAT(k6(check("a", true)).reason, HasSubstr("asked nothing"));
}

TEST(K6Visit, FailsByAThreshold) {
  const auto run =
      k6(request("home", 200, true), 99, "ERRO thresholds on metrics 'http_req_duration' have been crossed\n\n");
  EXPECT_FALSE(run.passed);
  EXPECT_THAT(run.reason, HasSubstr("have been crossed"));
}

TEST(K6Visit, OfAScriptThatIsNoneWasNotExecuted) {
  const auto run = k6("", 107, "SyntaxError: Unexpected token\n");
  EXPECT_FALSE(run.passed);
  EXPECT_FALSE(run.executed);
  EXPECT_THAT(run.reason, HasSubstr("Unexpected token"));
}

TEST(ArtilleryVisit, HasItsEndpointsAsSteps) {
  const auto run = artillery(R"("http.codes.200":1,"http.requests":1,"vusers.failed":0)");
  EXPECT_TRUE(run.passed) << run.reason;
  EXPECT_EQ(run.answers_2xx, 1u);
  ASSERT_THAT(run.steps, SizeIs(1));
  EXPECT_EQ(run.steps[0].name, "/x (home)");
  EXPECT_EQ(run.steps[0].duration, milliseconds{30});
}

TEST(ArtilleryVisit, FailsByWhatWentWrong) {
  EXPECT_THAT(artillery(R"("http.codes.404":1,"http.requests":1)").reason, HasSubstr("4xx"));
  EXPECT_TRUE(artillery(R"("http.codes.404":1,"http.requests":1,"plugins.expect.ok":1)").passed);
  EXPECT_THAT(artillery(R"("http.codes.404":1,"http.requests":1,"plugins.expect.failed.statusCode":1)", 21).reason,
              HasSubstr("statusCode"));
  EXPECT_THAT(artillery(R"("errors.ECONNREFUSED":1,"http.requests":1)").reason, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(artillery(R"("http.codes.200":1,"http.requests":1)", 1).reason, HasSubstr("p95 is too much"));
  const auto broken = artillery(
      R"json("http.codes.500":1,"http.requests":1,"plugins.expect.ok":1,"plugins.metrics-by-endpoint./x (home).codes.500":1)json");
  EXPECT_THAT(broken.reason, HasSubstr("5"));
  EXPECT_FALSE(broken.passed);
}

}  // namespace
}  // namespace securebase::prober
