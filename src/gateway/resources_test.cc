// An API of Terraform's own resources, without a document: routes, validators, authorizers and settings of methods. And
// what only documents say.
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

std::string resource(std::string_view name, std::string_view parent, std::string_view part) {
  return fmt::format(R"(
resource "aws_api_gateway_resource" "{}" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
  parent_id   = {}
  path_part   = "{}"
}}
)",
                     name, parent, part);
}

// A method and what answers it. `at`: a resource's id; `with` and `by` are the insides of the two blocks.
std::string method(std::string_view name, std::string_view at, std::string_view verb, std::string_view with,
                   std::string_view by) {
  return fmt::format(R"(
resource "aws_api_gateway_method" "{0}" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
  resource_id = {1}
  http_method = "{2}"
  {3}
}}
resource "aws_api_gateway_integration" "{0}" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
  resource_id = {1}
  http_method = aws_api_gateway_method.{0}.http_method
  {4}
}}
)",
                     name, at, verb, with, by);
}

class ApiOfResources : public GatewayTest {
 protected:
  ApiOfResources() {
    const std::string root = "aws_api_gateway_rest_api.main.root_resource_id";
    const std::string items = "aws_api_gateway_resource.items.id", item = "aws_api_gateway_resource.item.id";
    const std::string rest = "aws_api_gateway_resource.rest.id";
    const std::string open = "authorization = \"NONE\"";
    const std::string app =
        fmt::format("type = \"AWS_PROXY\"\n  integration_http_method = \"POST\"\n  uri = \"{}\"", uri_of("app"));
    apply(R"(
resource "aws_api_gateway_rest_api" "main" {
  name = "by-hand"
  tags = { "securebase:id" = "a1b2c3d4e5" }
}
resource "aws_api_gateway_request_validator" "parameters" {
  name                        = "parameters"
  rest_api_id                 = aws_api_gateway_rest_api.main.id
  validate_request_parameters = true
}
resource "aws_api_gateway_authorizer" "each_time" {
  name                             = "each-time"
  rest_api_id                      = aws_api_gateway_rest_api.main.id
  type                             = "REQUEST"
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 0
  authorizer_uri                   = ")" +
          uri_of("auth") + "\"\n}\n" + resource("items", root, "items") + resource("item", items, "{id}") +
          resource("rest", root, "{proxy+}") + method("root", root, "ANY", open, app) +
          method("list", items, "GET", open + R"(
  request_validator_id = aws_api_gateway_request_validator.parameters.id
  request_parameters = {
    "method.request.querystring.page" = true
    "method.request.header.X-Kind"    = true
    "method.request.querystring.sort" = false
  })",
                 app) +
          method("item", item, "GET",
                 "authorization = \"CUSTOM\"\n  authorizer_id = aws_api_gateway_authorizer.each_time.id", app) +
          method("cors", rest, "OPTIONS", open, R"(type = "MOCK"
  request_templates = { "application/json" = "{\"statusCode\": 204}" })") +
          R"(
resource "aws_api_gateway_integration_response" "cors" {
  rest_api_id         = aws_api_gateway_rest_api.main.id
  resource_id         = aws_api_gateway_resource.rest.id
  http_method         = aws_api_gateway_integration.cors.http_method
  status_code         = "204"
  response_parameters = { "method.response.header.Access-Control-Allow-Origin" = "'*'" }
}
resource "aws_api_gateway_deployment" "main" {
  rest_api_id = aws_api_gateway_rest_api.main.id
}
resource "aws_api_gateway_stage" "prod" {
  rest_api_id           = aws_api_gateway_rest_api.main.id
  deployment_id         = aws_api_gateway_deployment.main.id
  stage_name            = "prod"
  cache_cluster_enabled = true
}
resource "aws_api_gateway_method_settings" "list" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "~1items/GET"
  settings {
    caching_enabled                            = true
    unauthorized_cache_control_header_strategy = "FAIL_WITH_403"
  }
}
resource "aws_api_gateway_method_settings" "item" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "items/{id}/GET"
  settings {
    throttling_burst_limit = 2
    throttling_rate_limit  = 1
  }
}
)");
  }

  Reply ask_for(std::string_view path, Fields fields = {}, std::string_view verb = "GET") {
    fields.emplace_back("Host", "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com");
    return get("/prod" + std::string(path), fields, verb);
  }
};

TEST_F(ApiOfResources, AnswersEveryMethodOfItsRoot) {
  for (const char* verb : {"GET", "POST", "DELETE"}) EXPECT_EQ(ask_for("/", {}, verb).status, 200) << verb;
  ASSERT_EQ(app_calls(), 3u);
  const Json event = functions.events["app"][1];
  EXPECT_EQ(event["resource"].string_or(""), "/");
  EXPECT_EQ(event["path"].string_or(""), "/");
  EXPECT_EQ(event["requestContext"]["path"].string_or(""), "/prod/");
  EXPECT_TRUE(event["pathParameters"].is_null());
}

TEST_F(ApiOfResources, FindsAMethodBeyondTheResourceThatLacksIt) {
  const auto preflight = ask_for("/items", {}, "OPTIONS");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(ask_for("/items/7", {}, "OPTIONS").status, 204);
  const auto nowhere = ask_for("/items", {}, "POST");
  EXPECT_EQ(nowhere.status, 403);
  EXPECT_EQ(nowhere.body, R"({"message":"Missing Authentication Token"})");
}

TEST_F(ApiOfResources, DemandsTheParametersThatItsValidatorIsAbout) {
  const auto none = ask_for("/items?sort=up");
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(none.body, R"({"message":"Missing required request parameters: [X-Kind, page]"})");
  EXPECT_EQ(none.header("x-amzn-ErrorType"), "BadRequestException");
  EXPECT_EQ(ask_for("/items?page=1").body, R"({"message":"Missing required request parameters: [X-Kind]"})");
  EXPECT_EQ(app_calls(), 0u);
  EXPECT_EQ(ask_for("/items?page=1", {{"X-Kind", "a"}}).status, 200);
}

TEST_F(ApiOfResources, AsksAnAuthorizerWithoutMemoryEachTime) {
  const Fields tenant = {{"Authorization", "Bearer 42"}};
  EXPECT_EQ(ask_for("/items/7", tenant).status, 200);
  EXPECT_EQ(ask_for("/items/7", tenant).status, 200);
  EXPECT_EQ(auth_calls(), 2u);
  EXPECT_EQ(functions.events["auth"][0]["pathParameters"].dump(), R"({"id":"7"})");
  // The settings of this method alone: two at once, and the third comes before its authorizer is asked.
  const auto third = ask_for("/items/7", tenant);
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.body, R"({"message":"Too Many Requests"})");
  EXPECT_EQ(auth_calls(), 2u);
  clock.advance(1s);
  // Developer Guide: identity sources are demanded where verdicts are kept by them, and not here.
  EXPECT_EQ(ask_for("/items/7").status, 200);
  EXPECT_EQ(auth_calls(), 3u);
}

TEST_F(ApiOfResources, KeepsItsMethodsSettingsByTheirPath) {
  const Fields kind = {{"X-Kind", "a"}};
  EXPECT_EQ(ask_for("/items?page=1", kind).status, 200);
  EXPECT_EQ(ask_for("/items?page=1", kind).header("Cache-Status"), "api-gateway; hit; ttl=300");
  const auto forbidden = ask_for("/items?page=1", {{"X-Kind", "a"}, {"Cache-Control", "max-age=0"}});
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_EQ(app_calls(), 1u);
  ask_for("/");
  EXPECT_FALSE(ask_for("/").headers.has("Cache-Status")) << "no other method caches";
}

// ---- Documents

std::string with_document(const std::string& body) {
  return fmt::format(R"(
resource "aws_api_gateway_rest_api" "main" {{
  name = "documented"
  tags = {{ "securebase:id" = "a1b2c3d4e5" }}
  body = <<-EOT
{}
  EOT
}}
resource "aws_api_gateway_deployment" "main" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = "prod"
}}
)",
                     body);
}

TEST_F(ApiOfResources, MayBeASwaggerDocumentInYaml) {
  apply(with_document(fmt::format(R"(
swagger: "2.0"
x-amazon-apigateway-request-validator: all
x-amazon-apigateway-request-validators:
  all: {{ validateRequestParameters: true, validateRequestBody: false }}
x-amazon-apigateway-gateway-responses:
  MISSING_AUTHENTICATION_TOKEN:
    statusCode: 404
    responseTemplates: {{ application/json: '{{"none": $context.error.messageString}}' }}
parameters:
  Page: {{ name: page, in: query, required: true, type: string }}
securityDefinitions:
  session:
    type: apiKey
    name: X-Session
    in: header
    x-amazon-apigateway-authtype: custom
    x-amazon-apigateway-authorizer: {{ type: token, authorizerUri: "{1}" }}
paths:
  /list:
    parameters:
      - $ref: "#/parameters/Page"
    get:
      parameters: [{{ name: X-Kind, in: header, required: true, type: string }}]
      x-amazon-apigateway-integration: {{ type: aws_proxy, httpMethod: POST, uri: "{0}" }}
    post:
      security: [{{ session: [] }}]
      x-amazon-apigateway-request-validator: none
      x-amazon-apigateway-integration: {{ type: aws_proxy, httpMethod: POST, uri: "{0}" }})",
                                  uri_of("app"), uri_of("auth"))));
  EXPECT_EQ(ask_for("/list").body, R"({"message":"Missing required request parameters: [X-Kind, page]"})");
  EXPECT_EQ(ask_for("/list?page=1", {{"X-Kind", "a"}}).status, 200);
  EXPECT_EQ(ask_for("/list", {}, "POST").status, 401) << "no parameter is asked for before the caller";
  functions.authorise = [](const Json& event) {
    EXPECT_EQ(event["authorizationToken"].string_or(""), "s-1");
    return ok(R"({"principalId":"1","policyDocument":{"Statement":[
        {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:a1b2c3d4e5/prod/POST/list"}]}})");
  };
  EXPECT_EQ(ask_for("/list", {{"X-Session", "s-1"}}, "POST").status, 200);
  const auto nowhere = ask_for("/nowhere");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_EQ(nowhere.body, R"({"none": "Missing Authentication Token"})");
}

TEST_F(ApiOfResources, RefusesADocumentThatRefersToNothing) {
  const auto config = configured(with_document(fmt::format(
      R"({{"openapi":"3.0.1","x-amazon-apigateway-request-validator":"all","x-amazon-apigateway-request-validators":
      {{"all":{{"validateRequestParameters":true}}}},"paths":{{"/x":{{"get":{{"parameters":[{{"$ref":"#/components/parameters/Page"}}],
      "x-amazon-apigateway-integration":{{"type":"aws_proxy","uri":"{}"}}}}}}}}}})",
      uri_of("app"))));
  ASSERT_FALSE(config);
  EXPECT_THAT(stack::render(config.error()), HasSubstr("#/components/parameters/Page"));
}

}  // namespace
}  // namespace securebase::gateway
