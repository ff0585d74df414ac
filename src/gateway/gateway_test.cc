// Whole requests through the gateway, with functions that the test is: routes, events, authorizers, throttles, the
// stage cache with the guide's own configuration and two tenants.
#include "gateway/gateway.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "functions/functions.h"
#include "gateway/compress.h"
#include "net/worker.h"

namespace securebase::gateway {
namespace {

using namespace std::chrono_literals;
using base::Json;
using functions::InvokeOutcome;
using testing::HasSubstr;

std::string uri_of(std::string_view function) {
  return fmt::format(
      "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
      "arn:aws:lambda:us-east-1:123456789012:function:{}/invocations",
      function);
}

// The guide's chapter "API Performance", literally where it has the words: caching for all methods, 5 minutes, the key
// `integration.request.querystring.customer_id` and nothing of the credentials.
std::string guide_stack() {
  return fmt::format(R"(
resource "aws_api_gateway_rest_api" "main" {{
  name = "securebase-api"

  minimum_compression_size = 1024  # Compress responses > 1KB
  binary_media_types       = ["image/png"]
  tags = {{
    "securebase:id"                  = "a1b2c3d4e5"
    "securebase:authorizer-identity" = "any"
  }}
  body = jsonencode({{
    openapi = "3.0.1"
    info    = {{ title = "securebase-api", version = "1.0" }}
    paths = {{
      "/v1/customers/{{id}}/metrics" = {{
        get = {{
          security                        = [{{ auth = [] }}]
          x-amazon-apigateway-integration = {{
            type       = "aws_proxy"
            httpMethod = "POST"
            uri        = "{0}"
            cacheKeyParameters = [
              "integration.request.querystring.customer_id",
              "integration.request.querystring.date_range",
            ]
          }}
        }}
        post = {{
          security                        = [{{ auth = [] }}]
          x-amazon-apigateway-integration = {{ type = "aws_proxy", httpMethod = "POST", uri = "{0}" }}
        }}
        options = {{
          x-amazon-apigateway-integration = {{
            type             = "mock"
            requestTemplates = {{ "application/json" = "{{\"statusCode\": 204}}" }}
            responses = {{
              default = {{
                statusCode = "204"
                responseParameters = {{
                  "method.response.header.Access-Control-Allow-Origin"  = "'*'"
                  "method.response.header.Access-Control-Allow-Methods" = "'GET,POST,OPTIONS'"
                }}
              }}
            }}
          }}
        }}
      }}
      "/v1/tiers" = {{
        get = {{ x-amazon-apigateway-integration = {{ type = "aws_proxy", httpMethod = "POST", uri = "{0}" }} }}
      }}
      "/v1/{{proxy+}}" = {{
        x-amazon-apigateway-any-method = {{
          x-amazon-apigateway-integration = {{ type = "aws_proxy", httpMethod = "POST", uri = "{0}" }}
        }}
      }}
    }}
    components = {{
      securitySchemes = {{
        auth = {{
          type                         = "apiKey"
          in                           = "header"
          name                         = "Authorization"
          x-amazon-apigateway-authtype = "custom"
          x-amazon-apigateway-authorizer = {{
            type                         = "request"
            identitySource               = "method.request.header.Authorization, method.request.header.X-API-Key"
            authorizerUri                = "{1}"
            authorizerResultTtlInSeconds = 300
          }}
        }}
      }}
    }}
  }})
}}

resource "aws_api_gateway_deployment" "main" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
}}

resource "aws_api_gateway_stage" "prod" {{
  rest_api_id           = aws_api_gateway_rest_api.main.id
  deployment_id         = aws_api_gateway_deployment.main.id
  stage_name            = "prod"
  cache_cluster_enabled = true
  cache_cluster_size    = "0.5"
  variables             = {{ colour = "green" }}
}}

resource "aws_api_gateway_method_settings" "all" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"

  settings {{
    # Enable caching for GET requests
    caching_enabled      = true
    cache_ttl_in_seconds = 300  # 5 minutes
    cache_data_encrypted = true

    # Performance settings
    throttling_burst_limit = 5000
    throttling_rate_limit  = 10000

    # Monitoring
    metrics_enabled = true
    logging_level   = "INFO"
  }}
}}

resource "aws_api_gateway_domain_name" "api" {{
  domain_name = "api.securebase.com"
}}
resource "aws_api_gateway_base_path_mapping" "root" {{
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  domain_name = aws_api_gateway_domain_name.api.domain_name
}}
resource "aws_api_gateway_base_path_mapping" "api" {{
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  domain_name = aws_api_gateway_domain_name.api.domain_name
  base_path   = "api"
}}
)",
                     uri_of("app"), uri_of("auth"));
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configured(const std::string& text) {
  const auto directory = std::filesystem::temp_directory_path() / ("gateway-test-" + base::random_hex(12));
  std::filesystem::create_directories(directory);
  EXPECT_TRUE(base::replace_file(directory / "main.tf", text));
  stack::Catalogue catalogue;
  declare(catalogue);
  auto loaded = stack::load({.directory = directory}, catalogue);
  std::filesystem::remove_all(directory);
  if (!loaded) return loaded.error();
  return configure(*loaded);
}

InvokeOutcome ok(std::string payload) {
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kOk;
  outcome.payload = std::move(payload);
  return outcome;
}

InvokeOutcome failed(std::string message) {
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kFunctionError;
  outcome.payload = fmt::format(R"({{"errorMessage":"{}","errorType":"Exception"}})", message);
  return outcome;
}

// Answers by what the test says; waits at the gate while it is shut.
class FakeFunctions final : public functions::Invoker {
 public:
  net::Task<InvokeOutcome> invoke(std::string function, std::string event, functions::InvokeOptions) override {
    const auto name = function.substr(function.rfind(':') + 1);
    events[name].push_back(*Json::parse(event));
    const Json seen = events[name].back();
    while (shut) {
      const auto ticket = gate.ticket();
      const auto notified = co_await gate.after(ticket);
      if (!notified) break;
    }
    co_return name == "auth" ? authorise(seen) : app(seen);
  }
  bool knows(std::string_view) const override { return true; }

  void open() {
    shut = false;
    gate.notify_all();
  }

  std::function<InvokeOutcome(const Json&)> authorise;
  std::function<InvokeOutcome(const Json&)> app;
  std::map<std::string, std::vector<Json>> events;
  bool shut = false;
  net::Event gate;
};

// "Bearer <id>" is the customer <id>; without more, the policy covers the whole stage.
InvokeOutcome allow_bearer(const Json& event) {
  std::string_view token = event["headers"]["Authorization"].string_or(event["headers"]["X-API-Key"].string_or(""));
  if (token.starts_with("Bearer ")) token.remove_prefix(7);
  if (token == "bad") return failed("Unauthorized");
  return ok(fmt::format(
      R"({{"principalId":"{0}","policyDocument":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",)"
      R"("Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/*"}}]}},)"
      R"("context":{{"customer_id":"{0}","tier":"standard"}}}})",
      token));
}

// As in the guide: public, five minutes, whoever asks.
InvokeOutcome answer_with_caller(const Json& event) {
  const auto caller = event["requestContext"]["authorizer"]["customer_id"].string_or("nobody");
  Json body = Json::object({{"caller", caller}});
  return ok(Json::object({{"statusCode", 200},
                          {"headers", Json::object({{"Content-Type", "application/json"},
                                                    {"Cache-Control", "max-age=300, public"},
                                                    {"Cache-Tag", fmt::format("customer:{}", caller)},
                                                    {"X-Cache-Status", "MISS"}})},
                          {"body", body.dump()}})
                .dump());
}

class GatewayTest : public testing::Test {
 protected:
  GatewayTest()
      : worker_(0), pool_(1, 100), logs_(std::filesystem::temp_directory_path() / ("gw-" + base::random_hex(8))) {
    functions.authorise = allow_bearer;
    functions.app = answer_with_caller;
    gateway = std::make_unique<Gateway>(Settings{.logs = logs_}, Doors{functions, tags, pool_, clock});
    apply(guide_stack());
  }
  ~GatewayTest() override {
    EXPECT_EQ(worker_.tasks().running(), 0u) << "no fetch outlives the request that waits for it";
    gateway.reset();
    std::filesystem::remove_all(logs_);
  }

  void apply(const std::string& text) {
    auto config = configured(text);
    ASSERT_TRUE(config) << stack::render(config.error());
    gateway->apply(*config);
  }

  struct Reply {
    int status = 0;
    http::Headers headers;
    std::string body;
    std::string header(std::string_view name) const { return std::string(headers.get(name).value_or("")); }
  };
  using Fields = std::vector<std::pair<std::string, std::string>>;

  static http::Request request(std::string_view method, std::string_view target, const Fields& fields) {
    http::Request made;
    made.method = http::method_from(method);
    made.method_name = method;
    made.authority = "api.securebase.com";
    made.target = target;
    made.path = target.substr(0, target.find('?'));
    if (target.find('?') != std::string_view::npos) made.query = target.substr(target.find('?') + 1);
    made.peer_address = "203.0.113.7";
    for (const auto& [name, value] : fields) {
      if (name == "Host") {
        made.authority = value;
      } else {
        made.headers.add(name, value);
      }
    }
    return made;
  }

  static net::Task<void> ask(Gateway& gateway, http::Request& request, Reply& reply) {
    auto response = co_await gateway.answer(request);
    reply.status = response.status;
    reply.headers = response.headers;
    reply.body = response.body.bytes();
  }

  Reply get(std::string_view target, const Fields& fields = {}, std::string_view method = "GET") {
    auto made = request(method, target, fields);
    Reply reply;
    worker_.run_until_done(ask(*gateway, made, reply));
    return reply;
  }

  std::size_t app_calls() { return functions.events["app"].size(); }
  std::size_t auth_calls() { return functions.events["auth"].size(); }

  net::Worker worker_;
  net::Pool pool_;
  std::filesystem::path logs_;
  base::ManualClock clock;
  store::Tags tags;
  FakeFunctions functions;
  std::unique_ptr<Gateway> gateway;
};

constexpr std::string_view kMetrics = "/v1/customers/42/metrics?customer_id=42&date_range=30d";

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

TEST_F(GatewayTest, MakesTheLambdaProxyEvent) {
  get("/api/v1/any/p%C3%A4th?a=1&a=2&b=x%20y&c", {{"User-Agent", "curl/7.88.1"},
                                                  {"X-Two", "1"},
                                                  {"x-two", "2"},
                                                  {"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"}});
  ASSERT_EQ(app_calls(), 1u);
  Json event = functions.events["app"][0];
  Json context = event["requestContext"];
  EXPECT_EQ(context["requestId"].string_or("").size(), 36u);
  EXPECT_EQ(context["extendedRequestId"].string_or("").size(), 16u);
  EXPECT_EQ(context["resourceId"].string_or("").size(), 6u);
  for (const char* differs : {"requestId", "extendedRequestId", "resourceId", "deploymentId"}) context.erase(differs);
  event.set("requestContext", context);
  const auto expected = Json::parse(R"({
    "resource":"/v1/{proxy+}","path":"/api/v1/any/p%C3%A4th","httpMethod":"GET",
    "headers":{"User-Agent":"curl/7.88.1","x-two":"2","X-Amzn-Trace-Id":"Root=1-5759e988-bd862e3fe1be46a994272793",
      "Host":"api.securebase.com","X-Forwarded-For":"203.0.113.7","X-Forwarded-Port":"80","X-Forwarded-Proto":"http"},
    "multiValueHeaders":{"User-Agent":["curl/7.88.1"],"X-Two":["1","2"],
      "X-Amzn-Trace-Id":["Root=1-5759e988-bd862e3fe1be46a994272793"],"Host":["api.securebase.com"],
      "X-Forwarded-For":["203.0.113.7"],"X-Forwarded-Port":["80"],"X-Forwarded-Proto":["http"]},
    "queryStringParameters":{"a":"2","b":"x y","c":""},
    "multiValueQueryStringParameters":{"a":["1","2"],"b":["x y"],"c":[""]},
    "pathParameters":{"proxy":"any/p%C3%A4th"},"stageVariables":{"colour":"green"},
    "requestContext":{"resourcePath":"/v1/{proxy+}","httpMethod":"GET","requestTime":"14/Nov/2023:22:13:20 +0000",
      "path":"/api/v1/any/p%C3%A4th","accountId":"123456789012","protocol":"HTTP/1.1","stage":"prod",
      "domainPrefix":"api","requestTimeEpoch":1700000000000,
      "identity":{"cognitoIdentityPoolId":null,"accountId":null,"cognitoIdentityId":null,"caller":null,
        "sourceIp":"203.0.113.7","principalOrgId":null,"accessKey":null,"cognitoAuthenticationType":null,
        "cognitoAuthenticationProvider":null,"userArn":null,"userAgent":"curl/7.88.1","user":null},
      "domainName":"api.securebase.com","apiId":"a1b2c3d4e5"},
    "body":null,"isBase64Encoded":false})");
  ASSERT_TRUE(expected);
  EXPECT_EQ(event.dump(1), expected->dump(1));
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
  EXPECT_EQ(get("/v1/tiers", {}, "DELETE").status, 403);
  EXPECT_EQ(get("/dev/v1/tiers", {{"Host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"}}).body,
            R"({"message":"Forbidden"})");
  EXPECT_EQ(get("/v1/%zz").status, 400);
  EXPECT_TRUE(gateway->serves("API.securebase.com:8443"));
  EXPECT_FALSE(gateway->serves("example.com"));
}

TEST_F(GatewayTest, TellsMalformedFailedAndLateFunctionsApart) {
  const auto reply_to = [this](InvokeOutcome outcome) {
    functions.app = [&outcome](const Json&) { return outcome; };
    return get("/v1/tiers");
  };
  EXPECT_EQ(reply_to(ok(R"({"message":"hi"})")).status, 502);
  EXPECT_EQ(reply_to(ok("\"text\"")).body, R"({"message":"Internal server error"})");
  EXPECT_EQ(reply_to(failed("boom")).status, 502);
  InvokeOutcome late;
  late.kind = InvokeOutcome::Kind::kDeadline;
  EXPECT_EQ(reply_to(late).status, 504);
  EXPECT_EQ(reply_to(late).body, R"({"message":"Endpoint request timed out"})");
  InvokeOutcome throttled;
  throttled.kind = InvokeOutcome::Kind::kThrottled;
  EXPECT_EQ(reply_to(throttled).status, 500);
}

TEST_F(GatewayTest, AnswersPreflightsByAMock) {
  const auto reply = get("/v1/customers/42/metrics", {{"Origin", "https://x.example"}}, "OPTIONS");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(reply.header("Access-Control-Allow-Methods"), "GET,POST,OPTIONS");
  EXPECT_EQ(app_calls(), 0u);
}

TEST_F(GatewayTest, CompressesFromTheDeclaredSizeOn) {
  std::string body(1024, 'x');
  functions.app = [&body](const Json&) { return ok(Json::object({{"statusCode", 200}, {"body", body}}).dump()); };
  for (int i = 0; i < 2; ++i) {  // made, then kept
    const auto reply = get("/v1/tiers", {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(reply.header("Content-Encoding"), "gzip");
    EXPECT_EQ(decompress(reply.body, Coding::kGzip, 4096).value(), body);
  }
  EXPECT_EQ(get("/v1/tiers").body, body);
  EXPECT_EQ(app_calls(), 1u);
  const auto deflated = get("/v1/tiers", {{"Accept-Encoding", "deflate"}});
  EXPECT_EQ(decompress(deflated.body, Coding::kDeflate, 4096).value(), body);
  body.resize(1023);
  gateway->invalidate_paths({"/*"}, Strength::kHard);
  EXPECT_EQ(get("/v1/tiers", {{"Accept-Encoding", "gzip"}}).body, body);
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

std::string errors_of(const std::string& text) {
  const auto config = configured(text);
  return config ? "no error" : stack::render(config.error());
}

TEST(Configure, RefusesWhatWouldLeaveAMethodOpen) {
  const auto method = [](std::string_view attributes, std::string_view integration) {
    return fmt::format(R"(
resource "aws_api_gateway_rest_api" "a" {{
  name = "a"
}}
resource "aws_api_gateway_resource" "r" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  parent_id   = aws_api_gateway_rest_api.a.root_resource_id
  path_part   = "x"
}}
resource "aws_api_gateway_method" "m" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = "GET"
  {}
}}
resource "aws_api_gateway_integration" "i" {{
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = aws_api_gateway_method.m.http_method
  {}
}}
)",
                       attributes, integration);
  };
  const std::string mock = "type = \"MOCK\"";
  EXPECT_EQ(errors_of(method("authorization = \"NONE\"", mock)), "no error");
  EXPECT_THAT(errors_of(method("authorization = \"AWS_IAM\"", mock)), HasSubstr("not to be had here"));
  EXPECT_THAT(errors_of(method("authorization = \"CUSTOM\"", mock)), HasSubstr("no authorizer with that id"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"\n  api_key_required = true", mock)), HasSubstr("API keys"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"", "type = \"AWS\"\n  uri = \"x\"")),
              HasSubstr("type \"AWS\" is not to be had here"));
  EXPECT_THAT(errors_of(method("authorization = \"NONE\"", "type = \"AWS_PROXY\"\n  uri = \"x\"")),
              HasSubstr("expected the invoke_arn of a function"));
}

}  // namespace
}  // namespace securebase::gateway
