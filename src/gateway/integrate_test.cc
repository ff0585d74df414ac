// What answers a method: events and answers of functions, mocks, and how they fail.
#include "gateway/compress.h"
#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

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

TEST_F(GatewayTest, LeavesOutOfTheEventWhatIsBetweenClientAndGateway) {
  send("POST", "/v1/any/path/", "{}",
       {{"Content-Length", "2"},
        {"content-md5", "x"},
        {"Max-Forwards", "3"},
        {"Via", "1.1 edge"},
        {"Range", "bytes=0-"}});
  const Json event = functions.events["app"].at(0);
  EXPECT_EQ(event["headers"].dump(),
            R"({"Via":"1.1 edge","Range":"bytes=0-","Host":"api.securebase.com","X-Forwarded-For":"203.0.113.7",)"
            R"("X-Forwarded-Port":"80","X-Forwarded-Proto":"http"})");
  EXPECT_EQ(event["path"].string_or(""), "/v1/any/path/");
  EXPECT_EQ(event["pathParameters"].dump(), R"({"proxy":"any/path"})") << "as API Gateway gives it";
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

// ---- Bytes that are no text

class BinaryApi : public GatewayTest {
 protected:
  explicit BinaryApi(std::string_view types = R"(["image/*", "application/octet-stream"])") {
    SmallApi api;
    api.rest_api = fmt::format("binary_media_types = {}", types);
    api.paths = path_to("/file", "post", to_function("app"));
    apply(small_stack(api));
    functions.app = [](const Json&) {
      return ok(
          R"({"statusCode":200,"headers":{"Content-Type":"image/png"},"body":"iVBORwA=","isBase64Encoded":true})");
    };
  }
  const std::string png_ = std::string("\x89PNG\0", 5);
};

TEST_F(BinaryApi, HandsBinaryBodiesOnInBase64) {
  send("POST", "/file", png_, {{"Content-Type", "image/png; q=1"}});
  send("POST", "/file", "caf\xc3\xa9 \"x\"", {{"Content-Type", "text/plain"}});
  send("POST", "/file", "\xff", {{"Content-Type", "text/plain"}});
  const auto& events = functions.events["app"];
  EXPECT_EQ(events.at(0)["body"].string_or(""), "iVBORwA=");
  EXPECT_TRUE(events[0]["isBase64Encoded"].bool_or(false));
  EXPECT_EQ(events[1]["body"].string_or(""), "caf\xc3\xa9 \"x\"");
  EXPECT_FALSE(events[1]["isBase64Encoded"].bool_or(true));
  EXPECT_EQ(events[2]["body"].string_or(""), "\xef\xbf\xbd") << "what is no UTF-8 cannot be said in JSON";
}

TEST_F(BinaryApi, SendsBytesToThoseWhoAcceptThem) {
  const auto bytes = send("POST", "/file", "x", {{"Accept", "image/webp,image/*;q=0.8"}});
  EXPECT_EQ(bytes.body, png_);
  EXPECT_EQ(bytes.header("Content-Type"), "image/png");
  EXPECT_EQ(bytes.header("Vary"), "Accept");
  // Developer Guide, "Content type conversions": only the first type of Accept counts.
  EXPECT_EQ(send("POST", "/file", "x", {{"Accept", "text/html, image/png"}}).body, "iVBORwA=");
  EXPECT_EQ(send("POST", "/file", "x").body, "iVBORwA=");
}

TEST_F(BinaryApi, RefusesBase64ThatIsNone) {
  functions.app = [](const Json&) { return ok(R"({"statusCode":200,"body":"no base64!","isBase64Encoded":true})"); };
  EXPECT_EQ(send("POST", "/file", "x", {{"Accept", "image/png"}}).status, 500) << "as API Gateway has it";
}

class AllBinaryApi : public BinaryApi {
 protected:
  AllBinaryApi() : BinaryApi(R"(["*/*"])") {}
};

TEST_F(AllBinaryApi, TakesEverythingAsBytes) {
  const auto reply = send("POST", "/file", png_);
  EXPECT_EQ(functions.events["app"].at(0)["body"].string_or(""), "iVBORwA=");
  EXPECT_EQ(reply.body, png_);
  EXPECT_FALSE(reply.headers.has("Vary")) << "whoever asks gets the same";
}

// ---- Fields and parameters that come more than once

TEST_F(GatewayTest, TakesHeadersOfFunctionsOnceAndManyTimes) {
  functions.app = [](const Json&) {
    return ok(
        R"({"statusCode":"201","headers":{"X-One":"1","Set-Cookie":"lost=1","X-Number":7,"X-True":true,"X-Null":null,
      "Date":"then","Content-Length":"99","authorization":"later","Via":"me","Connection":"close"},
      "multiValueHeaders":{"Set-Cookie":["a=1","b=2"],"date":["now"]},"body":"x"})");
  };
  const auto reply = get("/v1/any");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.joined("Set-Cookie"), "a=1, b=2");
  EXPECT_EQ(reply.header("X-Number"), "7");
  EXPECT_EQ(reply.header("X-True"), "true");
  EXPECT_FALSE(reply.headers.has("X-Null"));
  EXPECT_EQ(reply.headers.joined("x-amzn-Remapped-Date"), "now");
  EXPECT_EQ(reply.header("x-amzn-Remapped-authorization"), "later");
  for (const char* others : {"Content-Length", "Connection", "Date", "Authorization", "Via"}) {
    EXPECT_FALSE(reply.headers.has(others)) << others << " is not the function's to say";
  }
}

TEST_F(GatewayTest, RefusesHeadersThatWouldWriteOthers) {
  for (const char* headers :
       {R"({"X":"a\r\nSet-Cookie: b=c"})", R"({"X Y":"a"})", R"({"":"a"})", R"({"X":{}})", "[]"}) {
    functions.app = [headers](const Json&) {
      return ok(fmt::format(R"({{"statusCode":200,"headers":{},"body":"x"}})", headers));
    };
    EXPECT_EQ(get("/v1/any").status, 502) << headers;
  }
}

TEST_F(GatewayTest, RefusesAnswersThatAreNoProxyResponse) {
  for (const char* answer : {R"({"statusCode":99})", R"({"statusCode":600})", R"({"statusCode":"ok"})",
                             R"({"statusCode":200,"body":{"a":1}})", R"({"statusCode":200,"isBase64Encoded":"yes"})",
                             R"({"statusCode":200,"extra":1})", "[]", "null", "", "{"}) {
    functions.app = [answer](const Json&) { return ok(answer); };
    const auto reply = get("/v1/any");
    EXPECT_EQ(reply.status, 502) << answer;
    EXPECT_EQ(reply.body, R"({"message":"Internal server error"})");
    EXPECT_EQ(reply.header("x-amzn-ErrorType"), "InternalServerErrorException");
  }
}

TEST_F(GatewayTest, ChoosesAFunctionByAStageVariable) {
  SmallApi api;
  api.paths = path_to("/x", "get", to_function("$${stageVariables.target}"));
  api.stage = R"(variables = { target = "app", colour = "blue" })";
  apply(small_stack(api));
  EXPECT_EQ(get("/x").status, 200);
  EXPECT_EQ(functions.events["app"].at(0)["stageVariables"].dump(), R"({"colour":"blue","target":"app"})");
}

// ---- Limits

TEST_F(GatewayTest, GivesAFunctionTheIntegrationsTime) {
  SmallApi api;
  api.paths = path_to("/x", "get", to_function("app") + ", timeoutInMillis = 3000");
  apply(small_stack(api));
  get("/x");
  ASSERT_EQ(functions.deadlines.size(), 1u);
  EXPECT_EQ(functions.deadlines[0], clock.steady() + 3s);
}

TEST_F(GatewayTest, RefusesBodiesBeyondTenMegabytes) {
  EXPECT_EQ(send("POST", "/v1/any", std::string(10 << 20, 'x')).status, 200);
  const auto refused = send("POST", "/v1/any", std::string((10 << 20) + 1, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, R"({"message":"Request Too Long"})");
  // A small one that grows beyond it is none the better.
  const auto bomb = compress(std::string(11 << 20, 'x'), Coding::kGzip);
  EXPECT_EQ(send("POST", "/v1/any", bomb, {{"Content-Encoding", "gzip"}}).status, 413);
  EXPECT_EQ(send("POST", "/v1/any", "no gzip", {{"Content-Encoding", "gzip"}}).status, 400);
  EXPECT_EQ(app_calls(), 1u);
}

// ---- CORS

TEST_F(GatewayTest, AnswersPreflightsAndItsOwnRefusalsWithCors) {
  SmallApi api;
  api.paths = fmt::format(R"("/x" = {{
    get = {{ security = [{{ auth = [] }}], x-amazon-apigateway-integration = {{ {} }} }}
    options = {{ x-amazon-apigateway-integration = {{
      type             = "mock"
      requestTemplates = {{ "application/json" = "{{\"statusCode\": 200}}" }}
      responses        = {{ default = {{ statusCode = "204", responseParameters = {{
        "method.response.header.Access-Control-Allow-Origin"  = "'https://app.securebase.com'"
        "method.response.header.Access-Control-Allow-Headers" = "'Authorization,Content-Type'"
        "method.response.header.Access-Control-Max-Age"       = "'600'"
      }} }} }}
    }} }}
  }})",
                          to_function("app"));
  api.schemes = fmt::format(R"(auth = {{ type = "apiKey", in = "header", name = "Authorization"
    x-amazon-apigateway-authorizer = {{ type = "token", authorizerUri = "{}" }} }})",
                            uri_of("auth"));
  api.beside = R"(
resource "aws_api_gateway_gateway_response" "refused" {
  rest_api_id         = aws_api_gateway_rest_api.main.id
  response_type       = "DEFAULT_4XX"
  response_parameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'https://app.securebase.com'" }
}
resource "aws_api_gateway_gateway_response" "unauthorized" {
  rest_api_id         = aws_api_gateway_rest_api.main.id
  response_type       = "UNAUTHORIZED"
  status_code         = "407"
  response_parameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }
  response_templates  = { "application/json" = "{\"said\":$context.error.messageString,\"at\":\"$context.resourcePath\"}" }
})";
  apply(small_stack(api));
  const auto preflight =
      get("/x", {{"Origin", "https://app.securebase.com"}, {"Access-Control-Request-Method", "GET"}}, "OPTIONS");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://app.securebase.com");
  EXPECT_EQ(preflight.header("Access-Control-Allow-Headers"), "Authorization,Content-Type");
  EXPECT_EQ(preflight.header("Access-Control-Max-Age"), "600");
  EXPECT_EQ(app_calls() + auth_calls(), 0u);

  const auto unauthorized = get("/x");
  EXPECT_EQ(unauthorized.status, 407);
  EXPECT_EQ(unauthorized.header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(unauthorized.body, R"({"said":"Unauthorized","at":"/x"})");
  // A path that leads nowhere is refused by the API, too: a browser has to be able to read it.
  const auto nowhere = get("/nowhere");
  EXPECT_EQ(nowhere.status, 403);
  EXPECT_EQ(nowhere.header("Access-Control-Allow-Origin"), "https://app.securebase.com");
}

}  // namespace
}  // namespace securebase::gateway
