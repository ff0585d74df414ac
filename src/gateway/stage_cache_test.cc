// The stage cache: what is kept, for whom, for how long, and what makes it go.
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

TEST_F(GatewayTest, KeepsTenantsApartWithTheGuidesLiteralCacheKey) {
  const auto a = get(kMetrics, {{"Authorization", "Bearer 42"}});
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, R"({"caller":"42"})");
  EXPECT_EQ(get(kMetrics, {{"Authorization", "Bearer 42"}}).header("Cache-Status"), "api-gateway; hit; ttl=300");
  ASSERT_EQ(app_calls(), 1u);
  // The same URL, the same key parameters, another tenant: never the first one's response.
  EXPECT_EQ(get(kMetrics, {{"Authorization", "Bearer evil"}}).body, R"({"caller":"evil"})");
  EXPECT_EQ(app_calls(), 2u);
  // Nor for those without credentials, with wrong ones, or with empty ones.
  EXPECT_EQ(get(kMetrics).status, 401);
  EXPECT_EQ(get(kMetrics).body, R"({"message":"Unauthorized"})");
  EXPECT_EQ(get(kMetrics, {{"Authorization", "bad"}}).status, 401);
  EXPECT_EQ(get(kMetrics, {{"Authorization", ""}}).status, 401);
  EXPECT_EQ(app_calls(), 2u);
  // Both go on finding their own.
  EXPECT_EQ(get(kMetrics, {{"Authorization", "Bearer 42"}}).body, R"({"caller":"42"})");
  EXPECT_EQ(get(kMetrics, {{"Authorization", "Bearer evil"}}).body, R"({"caller":"evil"})");
  EXPECT_EQ(app_calls(), 2u);
}

TEST_F(GatewayTest, KeysByTheDeclaredParametersAndThePath) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  get("/v1/customers/42/metrics?customer_id=42&date_range=30d", tenant);
  get("/v1/customers/42/metrics?date_range=30d&customer_id=42", tenant);
  get("/v1/customers/42/metrics?customer_id=42&date_range=30d&unkeyed=1", tenant);
  get("/v1/%63ustomers/42/./metrics?customer_id=42&date_range=30d", tenant);
  EXPECT_EQ(app_calls(), 1u);
  get("/v1/customers/42/metrics?customer_id=42&date_range=7d", tenant);
  get("/v1/customers/43/metrics?customer_id=42&date_range=30d", tenant);
  get("/v1/customers/42/metrics?customer_id=42", tenant);
  get("/v1/customers/42/metrics?customer_id=42&date_range=", tenant);
  EXPECT_EQ(app_calls(), 4u + 0u);  // a parameter that is empty is not there
}

TEST_F(GatewayTest, KeepsNoLongerThanTheStageAndTheFunctionSay) {
  get("/v1/tiers");
  clock.advance(299s);
  EXPECT_EQ(get("/v1/tiers").header("Age"), "299");
  clock.advance(2s);
  get("/v1/tiers");
  EXPECT_EQ(app_calls(), 2u);
  // The value was 280 seconds old when it came: 20 are left, and Age goes on from 280.
  functions.app = [](const Json&) {
    return ok(R"({"statusCode":200,"headers":{"Cache-Control":"max-age=300","Age":"280"},"body":"x"})");
  };
  clock.advance(301s);
  EXPECT_EQ(get("/v1/tiers").header("Age"), "280");
  clock.advance(19s);
  EXPECT_EQ(get("/v1/tiers").header("Age"), "299");
  clock.advance(2s);
  get("/v1/tiers");
  EXPECT_EQ(app_calls(), 4u);
}

TEST_F(GatewayTest, NeverKeepsWhatIsPrivateOrFailed) {
  for (const char* answer : {R"({"statusCode":200,"headers":{"Cache-Control":"no-store"},"body":"x"})",
                             R"({"statusCode":200,"headers":{"Cache-Control":"private, max-age=60"},"body":"x"})",
                             R"({"statusCode":200,"headers":{"Set-Cookie":"a=b"},"body":"x"})",
                             R"({"statusCode":200,"headers":{"Vary":"X-Colour"},"body":"x"})",
                             R"({"statusCode":404,"headers":{"Cache-Control":"max-age=60"},"body":"x"})",
                             R"({"statusCode":500,"headers":{"Cache-Control":"max-age=60"},"body":"x"})"}) {
    functions.app = [answer](const Json&) { return ok(answer); };
    const auto before = app_calls();
    get("/v1/tiers");
    get("/v1/tiers");
    EXPECT_EQ(app_calls(), before + 2) << answer;
  }
}

TEST_F(GatewayTest, ForgetsWhatATagAPathOrAFlushIsAbout) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  get(kMetrics, tenant);
  tags.raise("customer:43", store::Strength::kSoft);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 1u);
  tags.raise("customer:42", store::Strength::kSoft);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 2u);
  EXPECT_EQ(gateway->invalidate_paths({"/v1/customers/42/*"}, Strength::kSoft), 1u);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 3u);
  EXPECT_EQ(gateway->invalidate_paths({"/api/v1/*"}, Strength::kHard), 1u);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 4u);
  EXPECT_EQ(gateway->flush_stage_cache("a1b2c3d4e5", "prod").value(), 1u);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 5u);
  EXPECT_FALSE(gateway->flush_stage_cache("a1b2c3d4e5", "nope"));
}

TEST_F(GatewayTest, WhoWroteReadsWhatWasWritten) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  get(kMetrics, tenant);
  functions.app = [](const Json& event) {
    if (event["httpMethod"].string_or("") == "GET") return answer_with_caller(event);
    return ok(R"({"statusCode":201,"headers":{"Cache-Invalidate":"#customer:42, #api_keys:42"},"body":"{}"})");
  };
  const auto written = get("/v1/customers/42/metrics", tenant, "POST");
  EXPECT_EQ(written.status, 201);
  EXPECT_FALSE(written.headers.has("Cache-Invalidate"));  // no edge in front: the client need not see it
  EXPECT_EQ(auth_calls(), 1u);
  get(kMetrics, tenant);
  EXPECT_EQ(app_calls(), 3u);
  EXPECT_EQ(auth_calls(), 2u);  // #api_keys:42: the verdict on 42 went, too
}

TEST_F(GatewayTest, AsksOnceForAllWhoMissAtTheSameTime) {
  functions.shut = true;
  std::vector<http::Request> requests;
  std::vector<Reply> replies(20);
  for (int i = 0; i < 20; ++i) requests.push_back(request("GET", kMetrics, {{"Authorization", "Bearer 42"}}));
  net::TaskGroup group;
  struct All {
    static net::Task<void> run(Gateway& gateway, net::TaskGroup& group, std::vector<http::Request>& requests,
                               std::vector<Reply>& replies, FakeFunctions& functions) {
      for (std::size_t i = 0; i < requests.size(); ++i) group.spawn(ask(gateway, requests[i], replies[i]));
      functions.open();
      co_await group.drain();
    }
  };
  worker_.run_until_done(All::run(*gateway, group, requests, replies, functions));
  for (const auto& reply : replies) EXPECT_EQ(reply.body, R"({"caller":"42"})");
  EXPECT_EQ(auth_calls(), 1u);
  EXPECT_EQ(app_calls(), 1u);
}

TEST_F(GatewayTest, WhoComesAfterAnInvalidationIsNotAnsweredByWhatBeganBefore) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  get("/v1/customers/42/metrics?period=1d", tenant);  // the authorizer's verdict is known from here on
  functions.shut = true;
  auto before = request("GET", kMetrics, tenant);
  auto after = request("GET", kMetrics, tenant);
  Reply first, second;
  struct Both {
    static net::Task<void> run(Gateway& gateway, http::Request& before, http::Request& after, Reply& first,
                               Reply& second, FakeFunctions& functions, store::Tags& tags) {
      net::TaskGroup group;
      group.spawn(ask(gateway, before, first));
      tags.raise("customer:42", store::Strength::kHard);
      group.spawn(ask(gateway, after, second));
      functions.open();
      co_await group.drain();
    }
  };
  worker_.run_until_done(Both::run(*gateway, before, after, first, second, functions, tags));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(app_calls(), 3u);
}

TEST_F(GatewayTest, CacheControlOfCallersNeedsPermission) {
  get("/v1/tiers");
  const auto ignored = get("/v1/tiers", {{"Cache-Control", "max-age=0"}});
  EXPECT_EQ(app_calls(), 1u);
  EXPECT_THAT(ignored.header("Warning"), HasSubstr("199"));
  functions.authorise = [](const Json&) {
    return ok(
        R"({"principalId":"42","policyDocument":{"Statement":[{"Effect":"Allow","Action":"execute-api:*","Resource":"*"}]}})");
  };
  const Fields operating = {{"Authorization", "Bearer operator"}, {"Cache-Control", "max-age=0"}};
  get(kMetrics, operating);
  get(kMetrics, operating);
  EXPECT_EQ(app_calls(), 3u);
}

TEST_F(GatewayTest, AnswersHitsAtOnceAndAsIfTheyHadWaited) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  const auto at_once = [this](std::string_view target, const Fields& fields) -> std::optional<http::Response> {
    auto made = request("GET", target, fields);
    http::Response response;
    if (!gateway->answer_now(made, response)) return std::nullopt;
    return response;
  };
  EXPECT_FALSE(at_once(kMetrics, tenant)) << "the authorizer has to be asked";
  get(kMetrics, tenant);
  const auto before = gateway->statistics();
  const auto hit = at_once(kMetrics, tenant);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->body.bytes(), R"({"caller":"42"})");
  EXPECT_EQ(hit->headers.get("Cache-Status"), "api-gateway; hit; ttl=300");
  EXPECT_EQ(hit->headers.get("Age"), "0");
  EXPECT_TRUE(hit->headers.has("x-amzn-RequestId"));
  const auto after = gateway->statistics();
  EXPECT_EQ(after.stages[0].cache_hits, before.stages[0].cache_hits + 1);
  EXPECT_EQ(after.stages[0].requests, before.stages[0].requests + 1);
  EXPECT_EQ(after.authorizer_hits, before.authorizer_hits + 1);

  const auto refused = at_once(kMetrics, {});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_FALSE(at_once(kMetrics, {{"Authorization", "Bearer 43"}})) << "nobody else's";
  EXPECT_FALSE(at_once("/v1/other", {})) << "a miss";
  EXPECT_FALSE(at_once(kMetrics, {{"Authorization", "Bearer 42"}, {"Cache-Control", "max-age=0"}}));
  tags.raise("customer:42", store::Strength::kSoft);
  EXPECT_FALSE(at_once(kMetrics, tenant)) << "stale";
  EXPECT_EQ(gateway->statistics().authorizer_hits, after.authorizer_hits) << "who declines counts nothing";
}

}  // namespace
}  // namespace securebase::gateway
