// The parts that need no other room: paths, routes, policies, throttles, templates, mappings, codings.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/json.h"
#include "gateway/access_log.h"
#include "gateway/compress.h"
#include "gateway/config.h"
#include "gateway/function_response.h"
#include "gateway/in_force.h"
#include "gateway/path.h"
#include "gateway/policy.h"
#include "gateway/principal.h"
#include "gateway/routes.h"
#include "gateway/throttle.h"
#include "gateway/verdicts.h"
#include "gateway/yaml.h"

namespace securebase::gateway {
namespace {

using namespace std::chrono_literals;

std::string normal(std::string_view path) {
  std::string storage;
  const auto got = normal_path(path, storage);
  return got ? std::string(*got) : "refused";
}

TEST(Path, HasOneFormForMatchingKeyingAndForwarding) {
  EXPECT_EQ(normal("/v1/customers/42"), "/v1/customers/42");
  EXPECT_EQ(normal("/"), "/");
  EXPECT_EQ(normal("/a/./b/../c"), "/a/c");
  EXPECT_EQ(normal("/a/%2e%2E/c"), "/c");
  EXPECT_EQ(normal("/a/b/.."), "/a/");
  EXPECT_EQ(normal("/%7euser/%41"), "/~user/A");
  EXPECT_EQ(normal("/a%2fb"), "/a%2Fb");  // stays an escape: no separator
  EXPECT_EQ(normal("/a%2f..%2fb"), "/a%2F..%2Fb");
  EXPECT_EQ(normal("/.well-known/x"), "/.well-known/x");
  for (const char* bad : {"", "a", "/..", "/a/../../b", "/%", "/%2", "/%zz", "/%00", "/a%0d%0ab", "/a\\b", "/%5c"}) {
    EXPECT_EQ(normal(bad), "refused") << bad;
  }
}

TEST(Path, IsNormalAfterBeingMadeNormal) {
  for (const char* path : {"/a/%2e%2e/b", "/a%252e", "/x/./y/", "/%c3%a9/.."})
    EXPECT_EQ(normal(normal(path)), normal(path));
}

struct RouteCase {
  const char* path;
  int resource;
  std::vector<std::string> values;
};

struct AnyMethod final : Routes::Accepts {
  bool accepts(std::size_t) const override { return true; }
};
struct AllBut final : Routes::Accepts {
  explicit AllBut(std::set<std::size_t> without) : refused(std::move(without)) {}
  bool accepts(std::size_t resource) const override { return !refused.contains(resource); }
  const std::set<std::size_t> refused;
};

TEST(Routes, ChooseExactBeforeParameterBeforeGreedy) {
  Routes routes;
  const char* templates[] = {"/",
                             "/v1/health",
                             "/v1/customers/{id}",
                             "/v1/customers/{id}/invoices",
                             "/v1/{proxy+}",
                             "/v1/customers/me",
                             "/files/{path+}",
                             "/v1/customers/{id}/invoices/{invoice_id}"};
  for (std::size_t i = 0; i < std::size(templates); ++i) ASSERT_TRUE(routes.add(templates[i], i)) << templates[i];
  const RouteCase cases[] = {{"/", 0, {}},
                             {"/v1/health", 1, {}},
                             {"/v1/health/", 1, {}},
                             {"/v1/customers/42", 2, {"42"}},
                             {"/v1/customers/me", 5, {}},
                             {"/v1/customers/42/invoices", 3, {"42"}},
                             {"/v1/customers/me/invoices", 3, {"me"}},
                             {"/v1/customers/42/invoices/i-1", 7, {"42", "i-1"}},
                             {"/v1/customers/42/unknown/x", 4, {"customers/42/unknown/x"}},
                             {"/v1/healthy", 4, {"healthy"}},
                             {"/v1/customers/a%2Fb", 2, {"a%2Fb"}},
                             {"/files/a/b/", 6, {"a/b"}},
                             {"/v1/customers//invoices", 4, {"customers//invoices"}}};
  for (const auto& each : cases) {
    const auto found = routes.find(each.path, AnyMethod());
    ASSERT_TRUE(found) << each.path;
    EXPECT_EQ(found->resource, static_cast<std::size_t>(each.resource)) << each.path;
    ASSERT_EQ(found->parameter_count, each.values.size()) << each.path;
    for (std::size_t i = 0; i < each.values.size(); ++i) EXPECT_EQ(found->values[i], each.values[i]) << each.path;
  }
  for (const char* unknown : {"/v2", "/v1", "/files", "/files/", "/V1/health"})
    EXPECT_FALSE(routes.find(unknown, AnyMethod())) << unknown;
}

TEST(Routes, GoOnToTheNextResourceWhereOneLacksTheMethod) {
  Routes routes;
  const char* templates[] = {"/{proxy+}", "/v1/{id}", "/v1/me", "/v1/{id}/x"};
  for (std::size_t i = 0; i < std::size(templates); ++i) ASSERT_TRUE(routes.add(templates[i], i)) << templates[i];
  const auto found = [&routes](const char* path, std::set<std::size_t> lacking) {
    const auto way = routes.find(path, AllBut(std::move(lacking)));
    if (!way) return std::string("none");
    std::string text = std::to_string(way->resource);
    for (std::size_t i = 0; i < way->parameter_count; ++i) text.append(" ").append(way->values[i]);
    return text;
  };
  EXPECT_EQ(found("/v1/me", {}), "2");
  EXPECT_EQ(found("/v1/me", {2}), "1 me");
  EXPECT_EQ(found("/v1/me", {1, 2}), "0 v1/me");
  EXPECT_EQ(found("/v1/7/x", {3}), "0 v1/7/x");
  EXPECT_EQ(found("/v1/me", {0, 1, 2}), "none");
}

TEST(Routes, RefuseWhatIsNoResourcePathAndWhatIsThereTwice) {
  Routes routes;
  for (const char* bad : {"", "a", "/a//b", "/{", "/{}", "/{a+}/b", "/a{b}", "/{a}b", "/{+}"}) {
    EXPECT_FALSE(routes.add(bad, 0)) << bad;
  }
  ASSERT_TRUE(routes.add("/a/{x}", 0));
  EXPECT_EQ(routes.add("/a/{y}", 1).error().code, Errc::kConflict);
}

Policy policy(std::string_view text) {
  auto parsed = Policy::parse(*base::Json::parse(text));
  check(parsed.has_value(), parsed ? "" : parsed.error().message);
  return *parsed;
}

constexpr std::string_view kArn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/v1/customers/42";

TEST(Policy, DenyWinsAndWithoutAllowAllIsDenied) {
  using Decision = Policy::Decision;
  const auto one = [](std::string_view effect, std::string_view action, std::string_view resource) {
    return policy(fmt::format(
                      R"({{"Version":"2012-10-17","Statement":[{{"Effect":"{}","Action":"{}","Resource":"{}"}}]}})",
                      effect, action, resource))
        .evaluate("execute-api:Invoke", kArn);
  };
  EXPECT_EQ(one("Allow", "execute-api:Invoke", kArn), Decision::kAllowed);
  EXPECT_EQ(one("Allow", "EXECUTE-API:invoke", "*"), Decision::kAllowed);
  EXPECT_EQ(one("Allow", "execute-api:*", "arn:aws:execute-api:*:*:a1b2c3d4e5/prod/*"), Decision::kAllowed);
  EXPECT_EQ(one("Allow", "*", "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*/GET/v1/customers/4?"),
            Decision::kAllowed);
  EXPECT_EQ(one("Allow", "execute-api:InvalidateCache", "*"), Decision::kDenied);
  EXPECT_EQ(one("Allow", "execute-api:Invoke", "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/POST/*"),
            Decision::kDenied);
  EXPECT_EQ(one("Deny", "execute-api:Invoke", "*"), Decision::kExplicitlyDenied);
  const auto both = policy(R"({"Statement":[{"Effect":"Allow","Action":["execute-api:Invoke"],"Resource":["*"]},
      {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"*/GET/v1/customers/42"}]})");
  EXPECT_EQ(both.evaluate("execute-api:Invoke", kArn), Decision::kExplicitlyDenied);
  EXPECT_EQ(both.evaluate("execute-api:Invoke", "arn:x/GET/v1/customers/43"), Decision::kAllowed);
  const auto single = policy(R"({"Statement":{"Effect":"Allow","Action":"*","NotResource":"*/admin"}})");
  EXPECT_EQ(single.evaluate("execute-api:Invoke", "x/admin"), Decision::kDenied);
  EXPECT_EQ(single.evaluate("execute-api:Invoke", "x/user"), Decision::kAllowed);
}

TEST(Policy, RefusesWhatItCannotEvaluate) {
  for (const char* bad : {"{}", "[]", R"({"Statement":[{"Action":"*","Resource":"*"}]})",
                          R"({"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]})",
                          R"({"Statement":[{"Effect":"Allow","Resource":"*"}]})",
                          R"({"Statement":[{"Effect":"Allow","Action":[],"Resource":"*"}]})",
                          R"({"Statement":[{"Effect":"Allow","Action":[1],"Resource":"*"}]})",
                          R"({"Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
                               "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]})"}) {
    EXPECT_FALSE(Policy::parse(*base::Json::parse(bad))) << bad;
  }
}

constexpr std::string_view kAllowAll =
    R"("policyDocument":{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]})";

TEST(Principal, TwoCallersShareAKeyOnlyIfAllThatIsSaidOfThemIsTheSame) {
  const auto key = [](std::string_view members) {
    auto parsed = Principal::parse(fmt::format("{{{},{}}}", members, kAllowAll));
    check(parsed.has_value(), "a verdict");
    return parsed->key;
  };
  std::set<std::string> keys = {key(R"("principalId":"42")"),
                                key(R"("principalId":"43")"),
                                key(R"("principalId":"42","context":{"customer_id":"42"})"),
                                key(R"("principalId":"42","context":{"customer_id":"43"})"),
                                key(R"("principalId":"42","context":{"customer_id":"42","tier":"x"})"),
                                key(R"("principalId":"42,\"a\":1")")};
  EXPECT_EQ(keys.size(), 6u);
  EXPECT_EQ(key(R"("principalId":"42")"), key(R"("principalId":"42")"));
  EXPECT_EQ(key(R"("principalId":"42")").size(), 32u);
}

TEST(Principal, GivesContextAsTextAndRefusesWhatIsNoVerdict) {
  const auto parsed = Principal::parse(fmt::format(
      R"({{"principalId":"42",{},"context":{{"customer_id":"42","level":7,"beta":true,"none":null}}}})", kAllowAll));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->event_members, R"("principalId":"42","customer_id":"42","level":"7","beta":"true")");
  for (const std::string& bad :
       std::vector<std::string>{"", "null", "[]", "{}", R"({"principalId":"42"})",
                                R"({"principalId":"42","policyDocument":{}})", fmt::format("{{{}}}", kAllowAll),
                                fmt::format(R"({{"principalId":"a",{},"context":{{"x":[]}}}})", kAllowAll)}) {
    EXPECT_FALSE(Principal::parse(bad)) << bad;
  }
}

TEST(Throttle, AdmitsABurstAndThenTheRate) {
  base::ManualClock clock;
  Throttle throttle(10, 5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(throttle.take(clock.steady()).admitted) << i;
  const auto refused = throttle.take(clock.steady());
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.retry_after, 1s);
  clock.advance(99ms);
  EXPECT_FALSE(throttle.take(clock.steady()).admitted);
  clock.advance(1ms);
  EXPECT_TRUE(throttle.take(clock.steady()).admitted);
  EXPECT_FALSE(throttle.take(clock.steady()).admitted);
  clock.advance(10s);
  int admitted = 0;
  for (int i = 0; i < 20; ++i) admitted += throttle.take(clock.steady()).admitted;
  EXPECT_EQ(admitted, 5);
}

TEST(Throttle, SaysHowLongToWait) {
  base::ManualClock clock;
  Throttle throttle(0.1, 1);
  EXPECT_TRUE(throttle.take(clock.steady()).admitted);
  EXPECT_EQ(throttle.take(clock.steady()).retry_after, 10s);
  clock.advance(4500ms);
  EXPECT_EQ(throttle.take(clock.steady()).retry_after, 6s);
}

TEST(Throttle, NothingAndEverything) {
  base::ManualClock clock;
  EXPECT_FALSE(Throttle(0, 0).take(clock.steady()).admitted);
  EXPECT_FALSE(Throttle(100, 0).take(clock.steady()).admitted);
  Throttle open(-1, -1);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(open.take(clock.steady()).admitted);
}

TEST(Throttle, CountsOnceAcrossThreads) {
  base::ManualClock clock;
  Throttle throttle(1000, 500);
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) admitted += throttle.take(clock.steady()).admitted;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(admitted, 500);
}

TEST(FunctionResponse, ReadsStatusHeadersAndBody) {
  const auto got = FunctionResponse::parse(
      R"({"statusCode":201,"headers":{"Content-Type":"text/plain","X-Count":3,"X-Yes":true,"Content-Length":"9"},)"
      R"("multiValueHeaders":{"Set-Cookie":["a=1","b=2"]},"body":"h\u00e9\n","isBase64Encoded":false})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 201);
  EXPECT_EQ(got->headers.get("content-type"), "text/plain");
  EXPECT_EQ(got->headers.get("x-count"), "3");
  EXPECT_EQ(got->headers.get("x-yes"), "true");
  EXPECT_FALSE(got->headers.has("Content-Length"));
  EXPECT_EQ(got->headers.joined("Set-Cookie"), "a=1, b=2");
  EXPECT_EQ(got->body, "h\xc3\xa9\n");
  EXPECT_EQ(FunctionResponse::parse(R"({"statusCode":"204","body":null})")->status, 204);
  EXPECT_EQ(FunctionResponse::parse("{}")->status, 200);
}

TEST(FunctionResponse, ListsReplaceSingleValues) {
  const auto got =
      FunctionResponse::parse(R"({"statusCode":200,"headers":{"X-A":"one"},"multiValueHeaders":{"x-a":["1","2"]}})");
  EXPECT_EQ(got->headers.joined("X-A"), "1, 2");
}

TEST(FunctionResponse, RefusesWhatIsNoProxyResponse) {
  for (const char* bad : {"",
                          "null",
                          "3",
                          "\"text\"",
                          "[]",
                          "{",
                          R"({"message":"hi"})",
                          R"({"statusCode":"abc"})",
                          R"({"statusCode":99})",
                          R"({"statusCode":600})",
                          R"({"statusCode":200.5})",
                          R"({"statusCode":200,"body":{"a":1}})",
                          R"({"statusCode":200,"headers":[]})",
                          R"({"statusCode":200,"headers":{"X":{}}})",
                          R"({"statusCode":200,"headers":{"X y":"1"}})",
                          R"({"statusCode":200,"headers":{"X":"a\r\nSet-Cookie: b"}})",
                          R"({"statusCode":200,"multiValueHeaders":{"X":"1"}})",
                          R"({"statusCode":200,"isBase64Encoded":"yes"})",
                          R"({"statusCode":200,"cookies":[]})",
                          R"({"statusCode":200} x)"}) {
    EXPECT_FALSE(FunctionResponse::parse(bad)) << bad;
  }
}

TEST(Compress, ChoosesByWeight) {
  EXPECT_EQ(choose_coding("gzip, deflate, br"), Coding::kGzip);
  EXPECT_EQ(choose_coding("deflate"), Coding::kDeflate);
  EXPECT_EQ(choose_coding("gzip;q=0.1, deflate;q=0.5"), Coding::kDeflate);
  EXPECT_EQ(choose_coding("gzip;q=0, *"), Coding::kIdentity);
  EXPECT_EQ(choose_coding("*"), Coding::kGzip);
  EXPECT_EQ(choose_coding("br, identity"), Coding::kIdentity);
  EXPECT_EQ(choose_coding(""), Coding::kIdentity);
  EXPECT_TRUE(is_compressible("application/json; charset=utf-8"));
  EXPECT_FALSE(is_compressible("image/png"));
}

TEST(Compress, UndoesWhatItDidWithinABound) {
  const std::string text(100'000, 'x');
  for (const auto coding : {Coding::kGzip, Coding::kDeflate}) {
    const auto small = compress(text, coding);
    EXPECT_LT(small.size(), 1000u);
    EXPECT_EQ(decompress(small, coding, 100'000).value(), text);
    EXPECT_EQ(decompress(small, coding, 50'000).error().code, Errc::kLimit);
    EXPECT_FALSE(decompress(small.substr(0, small.size() - 9), coding, 100'000));
    EXPECT_FALSE(decompress(small + "x", coding, 100'000));
  }
  EXPECT_FALSE(decompress("nonsense", Coding::kGzip, 100));
}

TEST(Parameter, IsReadAsTerraformAndTheGuideWriteIt) {
  EXPECT_EQ(Parameter::parse("method.request.header.X-API-Key").value(),
            (Parameter{Parameter::From::kHeader, "X-API-Key"}));
  EXPECT_EQ(Parameter::parse("integration.request.querystring.customer_id").value(),
            (Parameter{Parameter::From::kQuery, "customer_id"}));
  EXPECT_FALSE(Parameter::parse("customer_id"));
  EXPECT_FALSE(Parameter::parse("method.request.header."));
}

TEST(MethodPath, HasOneForm) {
  for (const char* text : {"v1/health/GET", "/v1/health/GET", "~1v1~1health/GET"}) {
    EXPECT_EQ(normal_method_path(text), "v1/health/GET");
  }
  EXPECT_EQ(normal_method_path("*/*"), "*/*");
}

TEST(Settings, OfAMethodComeFromTheMostSpecificPlace) {
  Stage stage;
  stage.settings["*/*"].caching_enabled = true;
  stage.settings["*/*"].cache_ttl = 60s;
  stage.settings["*/*"].throttling_burst_limit = 5000;
  stage.settings["v1/health/GET"].caching_enabled = false;
  stage.settings["v1/search/POST"].caching_enabled = true;
  EXPECT_TRUE(resolve_settings(stage, "/v1/tiers", "GET").caching);
  EXPECT_FALSE(resolve_settings(stage, "/v1/tiers", "POST").caching);
  EXPECT_FALSE(resolve_settings(stage, "/v1/health", "GET").caching);
  EXPECT_EQ(resolve_settings(stage, "/v1/health", "GET").burst, 5000);
  EXPECT_TRUE(resolve_settings(stage, "/v1/search", "POST").caching);
  EXPECT_EQ(resolve_settings(stage, "/v1/search", "POST").cache_ttl, 60s);
}

std::shared_ptr<const Principal> somebody(std::string id) {
  auto made = std::make_shared<Principal>();
  made->principal_id = std::move(id);
  return made;
}

TEST(Verdicts, AreKeptForTheirTimeAndDroppedByPrincipal) {
  base::ManualClock clock;
  Verdicts verdicts(1000);
  verdicts.put("key-a", "api/prod", somebody("42"), clock.steady() + 10s, verdicts.generation());
  verdicts.put("key-b", "api/prod", somebody("43"), clock.steady() + 10s, verdicts.generation());
  EXPECT_EQ(verdicts.find("key-a", clock.steady())->principal_id, "42");
  EXPECT_EQ(verdicts.drop_principal("42"), 1u);
  EXPECT_EQ(verdicts.find("key-a", clock.steady()), nullptr);
  EXPECT_NE(verdicts.find("key-b", clock.steady()), nullptr);
  clock.advance(10s);
  EXPECT_EQ(verdicts.find("key-b", clock.steady()), nullptr);
}

TEST(Verdicts, ThatBeganBeforeADropAreNotKept) {
  base::ManualClock clock;
  Verdicts verdicts(1000);
  const auto before = verdicts.generation();
  verdicts.drop_principal("42");
  verdicts.put("key", "api/prod", somebody("42"), clock.steady() + 10s, before);
  EXPECT_EQ(verdicts.find("key", clock.steady()), nullptr);
}

TEST(Verdicts, AreBounded) {
  base::ManualClock clock;
  Verdicts verdicts(160);
  for (int i = 0; i < 10'000; ++i) {
    verdicts.put("key" + std::to_string(i % 5000), "api/prod", somebody("42"), clock.steady() + 10s, 0);
  }
  EXPECT_LE(verdicts.size(), 160u);
}

TEST(Yaml, IsReadAsJson) {
  const auto got = parse_yaml("openapi: 3.0.1\npaths:\n  /a:\n    get: {n: 3, q: \"3\", t: true, l: [1, 2.5, x]}\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->dump(), R"({"openapi":"3.0.1","paths":{"/a":{"get":{"n":3,"q":"3","t":true,"l":[1,2.5,"x"]}}}})");
  EXPECT_FALSE(parse_yaml("a: [1"));
}

TEST(FunctionUri, IsTheArnInsideAnInvokeArn) {
  EXPECT_EQ(function_of_uri("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
                            "arn:aws:lambda:us-east-1:123456789012:function:auth:prod/invocations")
                .value(),
            "arn:aws:lambda:us-east-1:123456789012:function:auth:prod");
  EXPECT_FALSE(function_of_uri("arn:aws:lambda:us-east-1:123456789012:function:auth"));
}

TEST(LogGroup, IsNoWayOutOfTheLogDirectory) {
  EXPECT_EQ(log_group_of_arn("arn:aws:logs:us-east-1:123456789012:log-group:/aws/apigateway/x:*").value(),
            "/aws/apigateway/x");
  EXPECT_FALSE(log_group_of_arn("arn:aws:logs:us-east-1:123456789012:log-group:../../etc"));
  EXPECT_FALSE(log_group_of_arn("arn:aws:firehose:us-east-1:123456789012:deliverystream/x"));
}

}  // namespace
}  // namespace securebase::gateway
