// Who asks: verdicts, cached ones, and what an authorizer can get wrong.
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

TEST_F(GatewayTest, AdmitsBeforeAnythingIsLookedUp) {
  auto anonymous = request("GET", kMetrics, {});
  Admission admission;
  ASSERT_TRUE(gateway->admit_now(anonymous, admission));
  EXPECT_EQ(admission.verdict(), Admission::Verdict::kRefused);
  EXPECT_EQ(admission.take_refusal().status, 401);
  auto tenant = request("GET", kMetrics, {{"Authorization", "Bearer 42"}});
  EXPECT_FALSE(gateway->admit_now(tenant, admission));  // the authorizer has to be asked first
  get(kMetrics, {{"Authorization", "Bearer 42"}});
  get(kMetrics, {{"Authorization", "Bearer 43"}});
  ASSERT_TRUE(gateway->admit_now(tenant, admission));
  EXPECT_EQ(admission.verdict(), Admission::Verdict::kPrincipal);
  Admission other;
  auto neighbour = request("GET", kMetrics, {{"Authorization", "Bearer 43"}});
  ASSERT_TRUE(gateway->admit_now(neighbour, other));
  EXPECT_NE(admission.principal(), other.principal());
  auto open = request("GET", "/v1/tiers", {{"Authorization", "Bearer 42"}});
  ASSERT_TRUE(gateway->admit_now(open, admission));
  EXPECT_EQ(admission.verdict(), Admission::Verdict::kPublic);
  EXPECT_EQ(admission.principal(), "");
}

TEST_F(GatewayTest, JudgesACachedPolicyForEachMethod) {
  functions.authorise = [](const Json& event) {
    return ok(fmt::format(R"({{"principalId":"42","policyDocument":{{"Statement":[
        {{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"{}"}}]}}}})",
                          event["methodArn"].string_or("")));
  };
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  EXPECT_EQ(get("/v1/customers/42/metrics", tenant).status, 200);
  const auto denied = get("/v1/customers/42/metrics", tenant, "POST");
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.body, R"({"Message":"User is not authorized to access this resource"})");
  EXPECT_EQ(denied.header("x-amzn-ErrorType"), "AccessDeniedException");
  EXPECT_EQ(get("/v1/customers/43/metrics", tenant).status, 403);
  EXPECT_EQ(auth_calls(), 1u);
}

TEST_F(GatewayTest, AuthorizersThatFailOpenNothing) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  for (const auto& outcome :
       {failed("boom"), ok("{}"), ok("nonsense"), ok(R"({"principalId":"42"})"), InvokeOutcome{}}) {
    functions.authorise = [&outcome](const Json&) { return outcome; };
    const auto reply = get(kMetrics, tenant);
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body, R"({"message":null})");
  }
  EXPECT_EQ(app_calls(), 0u);
}

TEST_F(GatewayTest, PassesTheAuthorizersContextOn) {
  get(kMetrics, {{"X-API-Key", "42"}});
  const Json event = functions.events["app"].at(0);
  EXPECT_EQ(event["requestContext"]["authorizer"].dump(),
            R"({"principalId":"42","customer_id":"42","tier":"standard","integrationLatency":0})");
  EXPECT_EQ(event["pathParameters"]["id"].string_or(""), "42");
  const Json asked = functions.events["auth"].at(0);
  EXPECT_EQ(asked["type"].string_or(""), "REQUEST");
  EXPECT_EQ(asked["methodArn"].string_or(""),
            "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/v1/customers/42/metrics");
}

class TokenAuthorizer : public GatewayTest {
 protected:
  TokenAuthorizer() {
    SmallApi api;
    api.paths = path_to("/v1/own", "get", to_function("app"), "security = [{ token = [] }]") +
                path_to("/v1/other", "get", to_function("app"), "security = [{ token = [] }]");
    api.schemes = fmt::format(R"(
      token = {{
        type = "apiKey", in = "header", name = "X-Session"
        x-amazon-apigateway-authtype = "custom"
        x-amazon-apigateway-authorizer = {{
          type                         = "token"
          identityValidationExpression = "^Bearer [a-z0-9]+$"
          authorizerUri                = "{}"
          authorizerResultTtlInSeconds = 60
        }}
      }})",
                              uri_of("auth"));
    apply(small_stack(api));
    functions.authorise = [](const Json& event) {
      std::string_view token = event["authorizationToken"].string_or("");
      token.remove_prefix(std::min<std::size_t>(7, token.size()));
      if (token == "unknown") return failed("Unauthorized");
      return ok(
          fmt::format(R"({{"principalId":"{0}","policyDocument":{{"Statement":[{{"Effect":"{1}",)"
                      R"("Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/prod/GET/v1/own"}}]}},)"
                      R"("context":{{"customer_id":"{0}"}}}})",
                      token, token == "banned" ? "Deny" : "Allow"));
    };
  }
};

TEST_F(TokenAuthorizer, AsksWithTheTokenAlone) {
  EXPECT_EQ(get("/v1/own", {{"X-Session", "Bearer 42"}, {"Cookie", "a=b"}}).body, R"({"caller":"42"})");
  ASSERT_EQ(auth_calls(), 1u);
  EXPECT_EQ(functions.events["auth"][0].dump(),
            R"({"type":"TOKEN","methodArn":"arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/GET/v1/own",)"
            R"("authorizationToken":"Bearer 42"})");
}

TEST_F(TokenAuthorizer, KeepsAVerdictByItsToken) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/v1/own", {{"X-Session", "Bearer 42"}}).status, 200);
  EXPECT_EQ(auth_calls(), 1u);
  EXPECT_EQ(get("/v1/own", {{"X-Session", "Bearer 43"}}).body, R"({"caller":"43"})");
  EXPECT_EQ(auth_calls(), 2u);
  clock.advance(61s);
  EXPECT_EQ(get("/v1/own", {{"X-Session", "Bearer 42"}}).status, 200);
  EXPECT_EQ(auth_calls(), 3u);
}

TEST_F(TokenAuthorizer, RefusesWhatDoesNotLookLikeATokenWithoutAsking) {
  for (const char* token : {"", "42", "Bearer ", "Bearer 42 and more", "bearer 42", "Bearer 42\n"}) {
    const auto refused = get("/v1/own", {{"X-Session", token}});
    EXPECT_EQ(refused.status, 401) << token;
    EXPECT_EQ(refused.body, R"({"message":"Unauthorized"})");
    EXPECT_EQ(refused.header("x-amzn-ErrorType"), "UnauthorizedException");
  }
  EXPECT_EQ(get("/v1/own").status, 401);
  EXPECT_EQ(get("/v1/own", {{"Authorization", "Bearer 42"}}).status, 401) << "another field is not its source";
  EXPECT_EQ(auth_calls(), 0u);
  EXPECT_EQ(app_calls(), 0u);
}

TEST_F(TokenAuthorizer, TellsUnknownFromForbidden) {
  EXPECT_EQ(get("/v1/own", {{"X-Session", "Bearer unknown"}}).status, 401);
  const auto elsewhere = get("/v1/other", {{"X-Session", "Bearer 42"}});
  EXPECT_EQ(elsewhere.status, 403);
  EXPECT_EQ(elsewhere.body, R"({"Message":"User is not authorized to access this resource"})");
  const auto banned = get("/v1/own", {{"X-Session", "Bearer banned"}});
  EXPECT_EQ(banned.status, 403);
  EXPECT_EQ(banned.body, R"({"Message":"User is not authorized to access this resource with an explicit deny"})");
  EXPECT_EQ(app_calls(), 0u);
  // A 401 is no verdict to be kept: the next request asks again.
  const auto asked = auth_calls();
  get("/v1/own", {{"X-Session", "Bearer unknown"}});
  EXPECT_EQ(auth_calls(), asked + 1);
}

}  // namespace
}  // namespace securebase::gateway
