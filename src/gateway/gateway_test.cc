// Addresses, throttles and counts.
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

TEST_F(GatewayTest, AnswersUnderAllItsAddresses) {
  EXPECT_EQ(get("/v1/tiers").status, 200);
  EXPECT_EQ(get("/api/v1/tiers").status, 200);
  EXPECT_EQ(get("/prod/v1/tiers", {{"Host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}}).status, 200);
  EXPECT_EQ(get("/restapis/a1b2c3d4e5/prod/_user_request_/v1/tiers", {{"Host", "127.0.0.1:4566"}}).status, 200);
  EXPECT_EQ(app_calls(), 1u);  // one resource, one stored response
  for (const char* unknown : {"/", "/v2", "/apiv1/tiers", "/api"}) {
    const auto reply = get(unknown);
    EXPECT_EQ(reply.status, 403) << unknown;
    EXPECT_EQ(reply.body, R"({"message":"Missing Authentication Token"})") << unknown;
  }
  EXPECT_EQ(get("/v1/tiers", {}, "DELETE").status, 200);  // by ANY of /v1/{proxy+}
  EXPECT_EQ(get("/dev/v1/tiers", {{"Host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}}).body,
            R"({"message":"Forbidden"})");
  EXPECT_EQ(get("/v1/%zz").status, 400);
  EXPECT_TRUE(gateway->serves("API.securebase.com:8443"));
  EXPECT_FALSE(gateway->serves("example.com"));
}

TEST_F(GatewayTest, ThrottlesAMethodAndSaysWhenToComeBack) {
  auto text = guide_stack();
  text.replace(text.find("throttling_burst_limit = 5000"), 29, "throttling_burst_limit = 2   ");
  text.replace(text.find("throttling_rate_limit  = 10000"), 30, "throttling_rate_limit  = 0.5  ");
  apply(text);
  EXPECT_EQ(get("/v1/tiers").status, 200);
  EXPECT_EQ(get("/v1/tiers").status, 200);
  const auto refused = get("/v1/tiers");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body, R"({"message":"Too Many Requests"})");
  EXPECT_EQ(refused.header("Retry-After"), "2");
  apply(text + "\n# a change elsewhere\n");
  EXPECT_EQ(get("/v1/tiers").status, 429);  // a reload is no way around a limit
  EXPECT_EQ(get("/v1/other").status, 200);  // another method, another bucket
  clock.advance(2s);
  EXPECT_EQ(get("/v1/tiers").status, 200);
  const auto statistics = gateway->statistics();
  EXPECT_EQ(statistics.stages.at(0).throttled, 2u);
}

TEST_F(GatewayTest, CountsWhatItDid) {
  get("/v1/tiers");
  get("/v1/tiers");
  get("/v1/customers/42/metrics");
  const auto statistics = gateway->statistics();
  ASSERT_EQ(statistics.stages.size(), 1u);
  EXPECT_EQ(statistics.stages[0].requests, 3u);
  EXPECT_EQ(statistics.stages[0].cache_hits, 1u);
  EXPECT_EQ(statistics.stages[0].cache_misses, 1u);
  EXPECT_EQ(statistics.stages[0].errors_4xx, 1u);
  EXPECT_EQ(statistics.cached_responses, 1u);
}

TEST_F(GatewayTest, LeavesApiGatewaysOwnApiToOthers) {
  const auto recognised = [this](std::string_view path, std::string_view host = "127.0.0.1:4566") {
    return gateway->recognises(request("GET", path, {{"Host", std::string(host)}}));
  };
  EXPECT_TRUE(recognised("/restapis/a1b2c3d4e5/prod/_user_request_/v1/tiers"));
  EXPECT_TRUE(recognised("/restapis/a1b2c3d4e5/prod/_user_request_"));
  EXPECT_TRUE(recognised("/restapis/x", "api.securebase.com"));
  for (const char* own : {"/restapis", "/restapis/a1b2c3d4e5", "/restapis/a1b2c3d4e5/stages/prod",
                          "/restapis/a1b2c3d4e5/stages/prod/cache/data", "/restapis/a/b/_user_request_s/x"}) {
    EXPECT_FALSE(recognised(own)) << own;
  }
}

}  // namespace
}  // namespace securebase::gateway
