// API Gateway's API: what it shows of a stack, and that what it flushes is asked for anew.
#include "gateway/operations.h"

#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

using aws::Value;

class OperationsTest : public GatewayTest {
 protected:
  OperationsTest() { add_operations(operations_, *gateway); }

  aws::Outcome call(std::string_view operation, std::initializer_list<Value::Member> input) {
    const aws::Identity identity;
    const http::Request request;
    const aws::Call made{.service = "apigateway",
                         .operation = operation,
                         .identity = identity,
                         .region = "us-east-1",
                         .account = "123456789012",
                         .request_id = "R1",
                         .now = clock.now(),
                         .input = Value::structure(input),
                         .request = request,
                         .payload = nullptr};
    return std::get<aws::Handler>(operations_.find("apigateway", operation))(made);
  }
  Value output(std::string_view operation, std::initializer_list<Value::Member> input) {
    auto outcome = call(operation, input);
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
    return outcome ? outcome->output : Value();
  }
  const Value::Member api_{"restApiId", "a1b2c3d4e5"};
  aws::Operations operations_;
};

TEST_F(OperationsTest, ShowWhatTheStackMakes) {
  const auto apis = output("GetRestApis", {});
  ASSERT_EQ(apis["items"].elements().size(), 1u);
  EXPECT_EQ(apis["items"].elements()[0], output("GetRestApi", {api_}));
  const auto one = output("GetRestApi", {api_});
  EXPECT_EQ(one["name"].string_or(""), "securebase-api");
  EXPECT_EQ(one["minimumCompressionSize"].integer_or(0), 1024);
  EXPECT_EQ(one["binaryMediaTypes"].elements().at(0).string_or(""), "image/png");

  const auto stage = output("GetStage", {api_, {"stageName", "prod"}});
  EXPECT_EQ(stage["variables"]["colour"].string_or(""), "green");
  EXPECT_EQ(stage["cacheClusterSize"].string_or(""), "0.5");
  EXPECT_EQ(stage["cacheClusterStatus"].string_or(""), "AVAILABLE");
  const auto& settings = stage["methodSettings"]["*/*"];
  EXPECT_EQ(settings["cacheTtlInSeconds"].integer_or(0), 300);
  EXPECT_EQ(settings["throttlingRateLimit"].number_or(0), 10000.0);
  EXPECT_EQ(settings["loggingLevel"].string_or(""), "INFO");
  EXPECT_EQ(output("GetStages", {api_})["item"].elements().at(0), stage);
  EXPECT_EQ(output("GetDeployments", {api_})["items"].elements().at(0)["id"], stage["deploymentId"]);
  EXPECT_TRUE(output("GetStages", {api_, {"deploymentId", "other"}})["item"].elements().empty());

  const auto domains = output("GetDomainNames", {});
  EXPECT_EQ(domains["items"].elements().at(0)["domainName"].string_or(""), "api.securebase.com");
  const auto mappings = output("GetBasePathMappings", {{"domainName", "api.securebase.com"}});
  std::set<std::string> paths;
  for (const auto& mapping : mappings["items"].elements()) paths.insert(std::string(mapping["basePath"].string_or("")));
  EXPECT_EQ(paths, (std::set<std::string>{"(none)", "api"}));
}

TEST_F(OperationsTest, ShowMethodsWithTheirIntegrations) {
  const auto plain = output("GetResources", {api_});
  const auto embedded = output("GetResources", {api_, {"embed", Value::list({"methods"})}});
  Value metrics;
  for (const auto& each : embedded["items"].elements()) {
    if (each["path"].string_or("") == "/v1/customers/{id}/metrics") metrics = each;
  }
  ASSERT_FALSE(metrics.is_null());
  EXPECT_EQ(plain["items"].elements().size(), embedded["items"].elements().size());
  const auto method = output("GetMethod", {api_, {"resourceId", metrics["id"]}, {"httpMethod", "GET"}});
  EXPECT_EQ(metrics["resourceMethods"]["GET"], method);
  EXPECT_EQ(method["authorizationType"].string_or(""), "CUSTOM");
  EXPECT_EQ(method["methodIntegration"]["type"].string_or(""), "AWS_PROXY");
  EXPECT_EQ(method["methodIntegration"]["uri"].string_or(""), uri_of("app"));
  EXPECT_EQ(method["methodIntegration"]["timeoutInMillis"].integer_or(0), 29000);
  EXPECT_EQ(method["methodIntegration"]["cacheKeyParameters"].elements().at(0).string_or(""),
            "method.request.querystring.customer_id");
  const auto mock = output("GetMethod", {api_, {"resourceId", metrics["id"]}, {"httpMethod", "OPTIONS"}});
  EXPECT_EQ(mock["authorizationType"].string_or(""), "NONE");
  const auto& response = mock["methodIntegration"]["integrationResponses"]["204"];
  EXPECT_EQ(response["responseParameters"]["method.response.header.Access-Control-Allow-Origin"].string_or(""), "'*'");
}

TEST_F(OperationsTest, FlushWhatIsKept) {
  get("/v1/tiers");
  get("/v1/tiers");
  EXPECT_EQ(app_calls(), 1u);
  EXPECT_TRUE(call("FlushStageCache", {api_, {"stageName", "prod"}}));
  get("/v1/tiers");
  EXPECT_EQ(app_calls(), 2u);
  get(kMetrics, {{"Authorization", "Bearer 42"}});
  EXPECT_TRUE(call("FlushStageAuthorizersCache", {api_, {"stageName", "prod"}}));
  get(kMetrics, {{"Authorization", "Bearer 42"}});
  EXPECT_EQ(auth_calls(), 2u);
}

TEST_F(OperationsTest, SayWhatThereIsNot) {
  for (const char* operation : {"GetRestApi", "GetResources", "GetStages", "GetStage", "GetDeployments", "GetMethod"}) {
    EXPECT_EQ(call(operation, {{"restApiId", "none"}}).error().code, "NotFoundException") << operation;
  }
  EXPECT_EQ(call("GetStage", {api_, {"stageName", "none"}}).error().message, "Invalid stage identifier specified");
  EXPECT_EQ(call("GetMethod", {api_, {"resourceId", "none"}, {"httpMethod", "GET"}}).error().status, 404);
  EXPECT_EQ(call("GetBasePathMappings", {{"domainName", "none"}}).error().status, 404);
  EXPECT_EQ(call("FlushStageCache", {api_, {"stageName", "none"}}).error().status, 404);
}

}  // namespace
}  // namespace securebase::gateway
