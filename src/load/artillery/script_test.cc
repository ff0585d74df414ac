#include <gmock/gmock.h>

#include "load/artillery/reading.h"
#include "load/artillery/script_reader.h"

namespace securebase::load::artillery {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace std::chrono_literals;

Result<Script> read(std::string_view text, ScriptOptions options = {}) {
  return read_script(text, "load-test.yml", options);
}

std::string errors_of(std::string_view text, ScriptOptions options = {}) {
  const auto script = read(text, std::move(options));
  return script ? "no error" : script.error().message;
}

constexpr std::string_view kGuide = R"yml(config:
  target: 'https://api.securebase.com'
  phases:
    - duration: 60
      arrivalRate: 10      # 10 requests/sec
      name: "Warm up"
    - duration: 300
      arrivalRate: 100     # 100 requests/sec
      name: "Sustained load"
    - duration: 60
      arrivalRate: 200     # Spike to 200 requests/sec
      name: "Spike test"

scenarios:
  - name: "API Load Test"
    flow:
      - get:
          url: "/v1/customers/{{ $randomString() }}/invoices"
          headers:
            Authorization: "Bearer {{ $env.API_TOKEN }}"
      - think: 2  # 2 second pause between requests
)yml";

TEST(ArtilleryScript, ReadsTheGuidesAsItIs) {
  ScriptOptions options;
  options.environment_variables = {{"API_TOKEN", "t"}};
  const auto script = read(kGuide, options);
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_THAT(script->warnings, SizeIs(0));
  ASSERT_THAT(script->config.phases, SizeIs(3));
  EXPECT_EQ(script->config.phases[1].duration, 300s);
  EXPECT_EQ(script->config.phases[1].rate, 100);
  EXPECT_EQ(script->config.phases[2].name, "Spike test");
  ASSERT_THAT(script->scenarios, SizeIs(1));
  ASSERT_THAT(script->scenarios[0].flow, SizeIs(2));
  const auto& request = std::get<RequestStep>(script->scenarios[0].flow[0].what);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.endpoint, "/v1/customers/{{ $randomString() }}/invoices");
  const Variables with(script->variables);
  EXPECT_EQ(request.headers[0].second.text(with), "Bearer t");
  EXPECT_EQ(std::get<std::chrono::nanoseconds>(std::get<ThinkStep>(script->scenarios[0].flow[1].what).duration), 2s);
}

TEST(ArtilleryScript, SaysThatAnEnvironmentVariableIsMissing) {
  const auto script = read(kGuide);
  ASSERT_TRUE(script);
  EXPECT_THAT(script->warnings, ElementsAre(HasSubstr("load-test.yml:20:28: API_TOKEN is not set in the environment")));
}

std::string with_scenarios(std::string_view config) {
  return std::string(config) + "scenarios:\n  - flow:\n      - get: { url: /x }\n";
}

TEST(ArtilleryScript, ReadsEveryKindOfPhase) {
  const auto script = read(with_scenarios(R"yml(config:
  target: http://h
  phases:
    - { duration: 5m, arrivalRate: "10", rampTo: 50, maxVusers: 100 }
    - { duration: 90s, arrivalCount: 7 }
    - { pause: 1 minute }
    - { duration: 3, arrivalRate: 0 }
)yml"));
  ASSERT_TRUE(script) << script.error().message;
  const auto& phases = script->config.phases;
  ASSERT_THAT(phases, SizeIs(4));
  EXPECT_EQ(phases[0].duration, 5min);
  EXPECT_EQ(phases[0].ramp_to, 50);
  EXPECT_EQ(phases[0].max_users, 100U);
  EXPECT_EQ(phases[1].kind, Phase::Kind::kCount);
  EXPECT_EQ(phases[1].count, 7U);
  EXPECT_EQ(phases[2].kind, Phase::Kind::kPause);
  EXPECT_EQ(phases[2].duration, 60s);
  EXPECT_EQ(phases[3].kind, Phase::Kind::kPause);
}

TEST(ArtilleryScript, NamesFileLineColumnKeyAndSuggestion) {
  EXPECT_THAT(
      errors_of(with_scenarios("config:\n  target: http://h\n  phases:\n    - duration: 5\n      arivalRate: 1\n")),
      HasSubstr("load-test.yml:5:7: config.phases[0]: unknown key arivalRate; did you mean arrivalRate?"));
  EXPECT_THAT(
      errors_of(with_scenarios("config:\n  target: http://h\n  phases:\n    - duration: soon\n      arrivalRate: x\n")),
      AllOf(HasSubstr("load-test.yml:4:17: config.phases[0].duration: expected seconds"), HasSubstr("\"soon\" came"),
            HasSubstr("load-test.yml:5:20: config.phases[0].arrivalRate: expected a number from 0 on")));
  EXPECT_THAT(errors_of("config:\n  target: [\n"), HasSubstr("load-test.yml:3:1: this is no YAML"));
  EXPECT_THAT(errors_of("config: {target: http://h}\nscenarios:\n  - flow:\n      - gett: { url: / }\n"),
              HasSubstr("load-test.yml:4:9: scenarios[0].flow[0]: unknown key gett; did you mean get?"));
  EXPECT_THAT(errors_of("config: {target: http://h}\nscenarios:\n  - flow:\n      - get: { ulr: / }\n"),
              HasSubstr("unknown key ulr; did you mean url?"));
  EXPECT_THAT(errors_of("config: {target: http://h}\nscenarios:\n  - engine: socketio\n    flow: []\n"),
              HasSubstr("only the engine http is here"));
  EXPECT_THAT(errors_of("config: {target: http://h}\n"), HasSubstr("expected scenarios"));
  EXPECT_THAT(errors_of(with_scenarios("config: {}\n")), HasSubstr("expected a target"));
  EXPECT_THAT(errors_of("config: {target: http://h}\nscenarios:\n  - flow:\n      - loop: [ {think: 1} ]\n"),
              HasSubstr("the loop has no end"));
  EXPECT_THAT(errors_of(""), HasSubstr("the script is empty"));
  EXPECT_THAT(errors_of("config: {target: http://h, target: http://g}\nscenarios: []"), HasSubstr("stands twice"));
}

// Scripts whose environments bring the processor run without it, too.
TEST(ArtilleryScript, RunsWithoutTheProcessorThatItsFunctionsAreIn) {
  const auto script = read("config: {target: http://h}\nscenarios:\n  - flow:\n      - function: f\n");
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_THAT(script->warnings, ElementsAre(HasSubstr("config.processor does not say where they are")));
}

TEST(ArtilleryScript, PassesOverWhatArtilleryPassesOver) {
  const auto script =
      read(with_scenarios("config:\n  target: http://h\n  plugins: [statsd]\n  defaults: {think: 2}\n"));
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_THAT(script->warnings, UnorderedElementsAre(HasSubstr("config.plugins: expected a map"),
                                                     HasSubstr("config.defaults.think: expected a map")));
}

TEST(ArtilleryScript, RefusesBombs) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ",*a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(errors_of(bomb), HasSubstr("more than 200000 values"));
  EXPECT_THAT(errors_of(std::string(200, '[') + std::string(200, ']')), HasSubstr("more than 64 levels deep"));
  EXPECT_THAT(errors_of("a: &a [*a]\n"), HasSubstr("load-test.yml"));
}

TEST(ArtilleryScript, KeepsTheSlashAtTheEndOfItsTarget) {
  const auto script = read(with_scenarios("config: { target: 'http://a/v1/' }\n"));
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->config.target, "http://a/v1/") << "Artillery puts a request's path behind it as it is";
}

TEST(ArtilleryScript, LaysEnvironmentsOverridesVariablesAndTargetOverTheConfig) {
  ScriptOptions options;
  options.environment = "staging";
  options.variables = R"yml({"who":"me"})yml";
  options.overrides = R"yml({"config":{"phases":[{"duration":1,"arrivalCount":3}]}})yml";
  options.environment_variables = {{"HOST", "example"}};
  const std::string text = with_scenarios(R"yml(config:
  target: http://a
  phases: [ { duration: 60, arrivalRate: 5 }, { pause: 5 } ]
  variables: { size: [1, 2], kind: "{{ who }}-{{ $environment }}" }
  environments:
    staging: { target: "https://{{ $env.HOST }}.test", http: { timeout: 3 } }
)yml");
  const auto script = read(text, options);
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->config.target, "https://example.test");
  EXPECT_EQ(script->config.timeout, 3s);
  ASSERT_THAT(script->config.phases, SizeIs(1));
  EXPECT_EQ(script->config.phases[0].count, 3U);
  ASSERT_THAT(script->config.picked_variables, SizeIs(1));
  EXPECT_THAT(script->config.picked_variables[0].second, SizeIs(2));
  const Variables with(script->variables);
  EXPECT_EQ(with.find("kind")->string_or(""), "me-staging");
  EXPECT_EQ(with.find("who")->string_or(""), "me");
  EXPECT_EQ(with.find("target")->string_or(""), "https://example.test");
  options.environment = "stagin";
  const auto other = read(text, options);
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_THAT(other->warnings, Contains(HasSubstr("did you mean staging?")));
}

TEST(ArtilleryScript, ReadsRequestsWithAllTheyMayHave) {
  const auto script = read(R"yml(config:
  target: http://h:81
  http: { defaults: { headers: { X-Default: d }, strictCapture: false } }
  plugins: { expect: { reportFailuresAsErrors: true }, metrics-by-endpoint: { useOnlyRequestNames: true } }
scenarios:
  - weight: 3
    flow:
      - post:
          url: "http://h:81/a?b=1"
          name: make
          json: { id: "{{ $uuid }}", n: 1 }
          qs: { q: 1 }
          auth: { user: u, pass: "{{ p }}" }
          ifTrue: "n > 1"
          capture:
            - { json: "$.id", as: id, strict: false }
            - { header: x-id, as: other }
            - { regexp: "id=(?<id>[0-9]+)", group: id, as: third }
          match: { json: "$.ok", value: true }
          expect:
            - statusCode: [200, 201]
            - contentType: json
      - [ { think: "1-{{ x }}" }, { log: hello } ]
      - loop:
          - get: { url: "/x/{{ $loopCount }}", followRedirect: false }
        count: "1-10"
      - parallel: [ { get: { url: /a } }, { get: { url: /b } } ]
)yml");
  ASSERT_TRUE(script) << script.error().message;
  const auto& flow = script->scenarios[0].flow;
  ASSERT_THAT(flow, SizeIs(5)) << "a list in the flow is laid flat";
  const auto& request = std::get<RequestStep>(flow[0].what);
  EXPECT_EQ(request.endpoint, "make");
  EXPECT_THAT(request.captures, SizeIs(3));
  EXPECT_EQ(request.captures[0].strict, false);
  EXPECT_THAT(request.matches, SizeIs(1));
  EXPECT_THAT(request.expectations, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<Expression>(*request.if_true));
  EXPECT_FALSE(script->config.strict_capture);
  EXPECT_TRUE(script->config.expect->failures_as_errors);
  EXPECT_EQ(script->config.default_headers[0].first, "x-default");
  EXPECT_FALSE(std::get<RequestStep>(std::get<LoopStep>(flow[3].what).steps[0].what).follow_redirect);
}

TEST(ArtilleryScript, ChoosesAScenarioByName) {
  const std::string text =
      "config: {target: http://h}\nscenarios:\n  - { name: one, flow: [] }\n  - { name: two, flow: [] }\n  - { name: "
      "twofold, flow: [] }\n";
  ScriptOptions options;
  options.scenario_name = "on";
  EXPECT_EQ(read(text, options)->only_scenario, 0U);
  options.scenario_name = "two";
  EXPECT_THAT(read(text, options).error().message, HasSubstr("Multiple scenarios"));
  options.scenario_name = "four";
  EXPECT_THAT(read(text, options).error().message, HasSubstr("not found"));
}

TEST(ArtilleryScript, MergesMapsByMergeKeys) {
  const auto script = read(
      "base: &base { duration: 2, arrivalCount: 1, name: b }\nconfig:\n  target: http://h\n  phases:\n    - <<: "
      "*base\n      name: mine\nscenarios: [ { flow: [] } ]\n");
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->config.phases[0].name, "mine");
  EXPECT_EQ(script->config.phases[0].count, 1U);
}

TEST(ArtilleryScript, ReadsDotenv) {
  std::map<std::string, std::string> into = {{"B", "kept"}};
  read_dotenv("# c\nA=1\nexport B=2\nC = \"x # y\" # z\nD='q'\nE=plain # note\nbroken\n", into);
  EXPECT_EQ(into.at("A"), "1");
  EXPECT_EQ(into.at("B"), "kept");
  EXPECT_EQ(into.at("C"), "x # y");
  EXPECT_EQ(into.at("D"), "q");
  EXPECT_EQ(into.at("E"), "plain");
  EXPECT_THAT(into, SizeIs(5));
}

TEST(ArtilleryDurations, AreReadWithTheirUnits) {
  EXPECT_EQ(parse_duration("2"), 2s);
  EXPECT_EQ(parse_duration("0.5"), 500ms);
  EXPECT_EQ(parse_duration("100ms"), 100ms);
  EXPECT_EQ(parse_duration("1.5 hours"), 90min);
  EXPECT_EQ(parse_duration("2 fortnights"), std::nullopt);
  EXPECT_EQ(parse_duration(""), std::nullopt);
  EXPECT_EQ(parse_duration("900 d"), std::nullopt);
}

}  // namespace
}  // namespace securebase::load::artillery
