// Captures, expectations, ensure and the report.
#include <gmock/gmock.h>

#include "load/artillery/capture.h"
#include "load/artillery/endpoint.h"
#include "load/artillery/ensure.h"
#include "load/artillery/expect.h"
#include "load/artillery/script_reader.h"

namespace securebase::load::artillery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Script script_of(const std::string& request) {
  auto script =
      read_script("config: {target: http://h}\nscenarios:\n  - flow:\n      - get:\n          url: /\n" + request,
                  "t.yml", ScriptOptions{});
  EXPECT_TRUE(script) << script.error().message;
  return std::move(*script);
}

const RequestStep& first_request(const Script& script) {
  return std::get<RequestStep>(script.scenarios[0].flow[0].what);
}

Answer answer_of(int status, std::string head, std::string body) {
  Answer answer;
  answer.status = status;
  answer.head = std::move(head);
  answer.body = std::move(body);
  return answer;
}

struct Taken {
  bool ok;
  base::Json variables;
  std::string details;
};

Taken take(const std::string& request, const Answer& answer, bool strict = true) {
  const auto script = script_of(request);
  Variables variables(std::make_shared<SharedVariables>());
  variables.set("wanted", "b");
  const Received received(answer, true);
  std::string details;
  const auto taken = take_captures(first_request(script), strict, received, variables, &details);
  return {taken.has_value(), variables.to_json(), details};
}

const Answer kJson = answer_of(200, "Content-Type: application/json\r\nX-Id: 42\r\n",
                               R"yml({"id":7,"list":[{"b":1}],"text":"id=12;"})yml");

TEST(ArtilleryCapture, TakesJsonHeadersAndRegularExpressions) {
  const auto taken = take(R"yml(          capture:
            - { json: "$.id", as: user.id }
            - { json: "$.list[0].{{ wanted }}", as: one }
            - { header: x-id, as: header }
            - { regexp: "id=(?<n>[0-9]+)", group: n, as: named }
            - { regexp: "ID=([0-9]+)", flags: i, group: 1, as: numbered }
)yml",
                          kJson);
  EXPECT_TRUE(taken.ok) << taken.details;
  EXPECT_EQ(taken.variables["user"]["id"], base::Json(7));
  EXPECT_EQ(taken.variables["one"], base::Json(1));
  EXPECT_EQ(taken.variables["header"], base::Json("42"));
  EXPECT_EQ(taken.variables["named"], base::Json("12"));
  EXPECT_EQ(taken.variables["numbered"], base::Json("12"));
}

TEST(ArtilleryCapture, FailsUnlessItIsNotStrict) {
  const std::string missing = "          capture: { json: \"$.none\", as: x }\n";
  const auto failed = take(missing, kJson);
  EXPECT_FALSE(failed.ok);
  EXPECT_THAT(failed.details, HasSubstr("x: the JSONPath $.none finds nothing"));
  EXPECT_TRUE(take("          capture: { json: \"$.none\", as: x, strict: false }\n", kJson).ok);
  EXPECT_TRUE(take(missing, kJson, false).ok) << "strictCapture: false";
  EXPECT_FALSE(take("          capture: { json: \"$.none\", as: x, strict: true }\n", kJson, false).ok);
  EXPECT_FALSE(take("          capture: { json: \"$.id\", as: x }\n", answer_of(200, "", "<html>")).ok);
}

TEST(ArtilleryCapture, TakesXml) {
  const auto xml = answer_of(200, "Content-Type: text/xml\r\n", "<r><a k='v'>text</a></r>");
  EXPECT_EQ(take("          capture: { xpath: \"//a\", as: x }\n", xml).variables["x"], base::Json("text"));
  EXPECT_EQ(take("          capture: { xpath: \"//a\", attr: k, as: x }\n", xml).variables["x"], base::Json("v"));
  EXPECT_EQ(take("          capture: { xpath: \"count(//a)\", as: x }\n", xml).variables["x"], base::Json("1"));
}

// A script with one is refused with its place, and does not end the program.
TEST(ArtilleryCapture, SaysWhatIsNoXPath) {
  const auto script = read_script(
      "config: {target: http://h}\nscenarios:\n  - flow:\n      - get: {url: /, capture: {xpath: \"//\", as: x}}\n",
      "t.yml", ScriptOptions{});
  ASSERT_FALSE(script);
  EXPECT_THAT(script.error().message, HasSubstr("\"//\" is no XPath"));
}

TEST(ArtilleryMatch, ComparesWithItsValue) {
  EXPECT_TRUE(take("          match: { json: \"$.id\", value: 7 }\n", kJson).ok);
  EXPECT_FALSE(take("          match: { json: \"$.id\", value: \"7\" }\n", kJson).ok) << "JavaScript's ===";
  EXPECT_TRUE(take("          match: { json: \"$.id\", value: 8, strict: false }\n", kJson).ok);
}

std::vector<std::string> failures(const std::string& expectations, const Answer& answer) {
  const auto script = script_of("          expect:\n" + expectations);
  Variables variables(std::make_shared<SharedVariables>());
  variables.set("a", 1);
  const Received received(answer, true);
  std::vector<std::string> failed;
  for (const auto& expectation : first_request(script).expectations) {
    const auto result = check_expectation(expectation, variables, received);
    if (!result.ok) failed.push_back(result.type + ": " + result.got);
  }
  return failed;
}

TEST(ArtilleryExpect, HoldsWhatAnswersAre) {
  EXPECT_THAT(failures(R"yml(            - statusCode: 200
            - statusCode: [201, "200"]
            - notStatusCode: 500
            - contentType: json
            - contentType: Application/JSON
            - hasProperty: list[0].b
            - notHasProperty: none
            - equals: [ "{{ a }}", 1, "1" ]
            - hasHeader: x-id
            - headerEquals: [ x-id, 42 ]
            - matchesRegexp: "id.:7"
)yml",
                       kJson),
              SizeIs(0));
  EXPECT_THAT(
      failures(R"yml(            - statusCode: 201
            - notStatusCode: [200]
            - contentType: text/html
            - hasProperty: none
            - notHasProperty: id
            - equals: [ 1, 2 ]
            - hasHeader: x-none
            - headerEquals: [ x-id, 43 ]
            - matchesRegexp: "^x"
            - cdnHit: true
)yml",
               kJson),
      ElementsAre("statusCode: 200", "notStatusCode: 200", "contentType: application/json",
                  "hasProperty: response body has no none property", "notHasProperty: response body has id property",
                  "equals: 1, 2", "hasHeader: response has no x-none header", "header x-id values equals: 42",
                  "matchesRegexp: false", "cdnHit: cache status header not found"));
  EXPECT_THAT(failures("            cdnHit: true\n", answer_of(200, "X-Cache: Hit from cloudfront\r\n", "")),
              SizeIs(0));
  EXPECT_THAT(failures("            contentType: json\n", answer_of(200, "Content-Type: application/json\r\n", "{")),
              SizeIs(1));
}

TEST(ArtilleryEndpoints, AreNamedByPathHostAndName) {
  EndpointPlugin plugin;
  EXPECT_EQ(endpoint_name(plugin, "http://h:1", "http://h:1/a/{{ b }}?c=1", ""), "/a/{{ b }}?c=1");
  EXPECT_EQ(endpoint_name(plugin, "http://h:1", "http://g:2/a%20b", "n"), "g:2/a b (n)");
  plugin.strip_query_string = true;
  EXPECT_EQ(endpoint_name(plugin, "http://h", "http://h/a?c=1", ""), "/a");
  plugin.only_request_names = true;
  EXPECT_EQ(endpoint_name(plugin, "http://h", "http://h/a", "n"), "n");
  plugin.ignore_unnamed = true;
  EXPECT_EQ(endpoint_name(plugin, "http://h", "http://h/a", ""), "");
}

Value counted(std::uint64_t count) {
  Value value;
  value.count = count;
  value.sum = static_cast<double>(count);
  return value;
}

Period measured_period() {
  Values values;
  const Value created = counted(4);
  const Value completed = counted(3);
  values[{"vusers.created", {}}] = created;
  values[{"vusers.completed", {}}] = completed;
  values[{"http.requests", {}}] = counted(40);
  Value time;
  time.kind = Kind::kTrend;
  for (int i = 1; i <= 100; ++i) time.sketch.add(i);
  time.count = 100;
  values[{"http.response_time", {}}] = time;
  values[{"plugins.metrics-by-endpoint.response_time./v1/{{ id }}", {}}] = time;
  return make_period(values, base::TimePoint{std::chrono::seconds{1'700'000'003}}, std::chrono::seconds{0},
                     std::chrono::seconds{4});
}

TEST(ArtilleryEnsure, ComparesAsTheScriptSays) {
  ScriptOptions options;
  const auto script = read_script(R"yml(config:
  target: http://h
  ensure:
    p99: 101
    maxErrorRate: 20
    thresholds:
      - "http.response_time.p95": 95
      - "plugins.metrics-by-endpoint.response_time./v1/{{ id }}.p95": 200
    conditions:
      - expression: "http.codes.500 < 1"
        strict: false
      - expression: "vusers.created == 4 and http.request_rate >= 10"
scenarios: [ { flow: [] } ]
)yml",
                                  "t.yml", options);
  ASSERT_TRUE(script) << script.error().message;
  const auto checked = check_ensure(script->config.ensure, measured_period(), std::nullopt);
  std::vector<std::string> shown;
  for (const auto& one : checked) shown.push_back((one.ok ? "ok " : one.strict ? "fail " : "optional ") + one.original);
  EXPECT_THAT(shown,
              ElementsAre("ok plugins.metrics-by-endpoint.response_time./v1/{{ id }}.p95 < 200",
                          "ok vusers.created == 4 and http.request_rate >= 10", "ok p99 < 101",
                          "fail http.response_time.p95 < 95", "optional http.codes.500 < 1", "fail maxErrorRate < 20"));
  EXPECT_THAT(checked[4].note, HasSubstr("http.codes.500 was not recorded"));
  EXPECT_EQ(tightest_limit_ms(script->config.ensure), 95);
}

TEST(ArtilleryReport, IsWrittenAsArtilleryDoesAndReadAgain) {
  const auto period = measured_period();
  const auto json = report_json(period, {to_json(period, PeriodPlace::kIntermediate)});
  EXPECT_EQ(json["aggregate"]["counters"]["vusers.created"], base::Json(4));
  EXPECT_EQ(json["aggregate"]["rates"]["http.request_rate"], base::Json(10));
  EXPECT_EQ(json["aggregate"]["period"], base::Json(std::int64_t{1'700'000'000'000}));
  const auto& first = (*json["intermediate"].as_array())[0];
  EXPECT_EQ(first["period"], base::Json("1700000000000"));
  EXPECT_EQ(first["histograms"], first["summaries"]);
  const auto& summary = first["summaries"]["http.response_time"];
  for (const char* name : {"min", "max", "count", "mean", "p50", "median", "p75", "p90", "p95", "p99", "p999"}) {
    EXPECT_NE(summary.find(name), nullptr) << name;
  }
  EXPECT_EQ(summary["count"], base::Json(100));
  const auto again = parse_report(json.dump());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_json(again->aggregate, PeriodPlace::kAggregate), json["aggregate"]);
  ASSERT_THAT(again->intermediate, SizeIs(1));
  EXPECT_EQ(again->intermediate[0].begin_ms, 1'700'000'000'000);
  EXPECT_FALSE(parse_report("{}"));
  EXPECT_FALSE(parse_report("nonsense"));
}

TEST(ArtilleryReport, IsShownWithDots) {
  const auto text = metrics_text(measured_period(), 60, "plugins.metrics-by-endpoint");
  EXPECT_THAT(text, HasSubstr("http.request_rate: .......................................... 10/sec\n"));
  EXPECT_THAT(text, HasSubstr("http.response_time:\n  min: "));
  EXPECT_THAT(text, HasSubstr("vusers.created: "));
  EXPECT_EQ(text.find("metrics-by-endpoint"), std::string::npos);
}

}  // namespace
}  // namespace securebase::load::artillery
