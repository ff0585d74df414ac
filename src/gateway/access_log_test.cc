// Lines about requests: what is in them, who cannot write them, and what happens when there are too many.
#include "gateway/access_log.h"

#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

class AccessLogTest : public GatewayTest {
 protected:
  // The lines of the group "access".
  std::string lines_of(std::string_view format, const std::function<void()>& requests) {
    SmallApi api;
    api.paths = path_to("/v1/things/{id}", "get", to_function("app"), "security = [{ auth = [] }]") +
                path_to("/open", "get", to_function("app"));
    api.schemes = fmt::format(R"(auth = {{ type = "apiKey", in = "header", name = "Authorization"
      x-amazon-apigateway-authorizer = {{ type = "request", identitySource = "method.request.header.Authorization"
                                          authorizerUri = "{}" }} }})",
                              uri_of("auth"));
    api.stage = fmt::format(R"(
  access_log_settings {{
    destination_arn = "arn:aws:logs:us-east-1:123456789012:log-group:access"
    format          = "{}"
  }})",
                            format);
    apply(small_stack(api));
    requests();
    std::string all;
    for (const auto& line : lines_.all) {
      EXPECT_EQ(line.group, "access");
      all += line.message + "\n";
    }
    return all;
  }
};

TEST_F(AccessLogTest, SaysWhatTheFormatAsksFor) {
  const auto lines = lines_of(
      "$context.identity.sourceIp [$context.requestTime] $context.httpMethod $context.resourcePath $context.path "
      "$context.protocol $context.status $context.responseLength $context.stage $context.apiId $context.accountId "
      "$context.domainName $context.authorizer.principalId $context.authorizer.tier $context.integrationStatus "
      "$context.integration.latency $context.responseLatency $context.error.responseType $context.unknown.",
      [this] {
        get("/v1/things/7", {{"Authorization", "Bearer 42"}});
        get("/v1/things/7");
        get("/nowhere");
      });
  EXPECT_EQ(lines,
            "203.0.113.7 [14/Nov/2023:22:13:20 +0000] GET /v1/things/{id} /v1/things/7 HTTP/1.1 200 15 prod a1b2c3d4e5 "
            "123456789012 api.securebase.com 42 standard 200 0 0 - -.\n"
            "203.0.113.7 [14/Nov/2023:22:13:20 +0000] GET /v1/things/{id} /v1/things/7 HTTP/1.1 401 26 prod a1b2c3d4e5 "
            "123456789012 api.securebase.com - - - - 0 UNAUTHORIZED -.\n"
            "203.0.113.7 [14/Nov/2023:22:13:20 +0000] GET - /nowhere HTTP/1.1 403 42 prod a1b2c3d4e5 "
            "123456789012 api.securebase.com - - - - 0 MISSING_AUTHENTICATION_TOKEN -.\n");
}

TEST_F(AccessLogTest, TellsQueriesWhatTheFormatDoesNotSay) {
  lines_of("$context.status", [this] { get("/v1/things/7", {{"Authorization", "Bearer 42"}}); });
  ASSERT_EQ(lines_.all.size(), 1u);
  const auto& fields = lines_.all[0].fields;
  EXPECT_EQ(fields.at("path"), "/v1/things/7");
  EXPECT_EQ(fields.at("status"), "200");
  EXPECT_EQ(fields.at("@type"), "REPORT");
  EXPECT_EQ(fields.at("@duration"), "0");
  EXPECT_FALSE(fields.at("@requestId").empty());
}

TEST_F(AccessLogTest, NamesARequestAsItsAnswerDoes) {
  std::string id;
  const auto lines = lines_of(R"({\"requestId\":\"$context.requestId\",\"extended\":\"$context.extendedRequestId\"})",
                              [this, &id] { id = get("/open").header("x-amzn-RequestId"); });
  const auto line = Json::parse(lines);
  ASSERT_TRUE(line) << lines;
  EXPECT_EQ((*line)["requestId"].string_or(""), id);
  EXPECT_EQ((*line)["extended"].string_or("").size(), 16u);
}

TEST_F(AccessLogTest, LetsNoClientWriteLines) {
  const auto lines = lines_of(R"({\"agent\":\"$context.identity.userAgent\"})", [this] {
    get("/open", {{"User-Agent", "x\"}\n{\"agent\":\"forged"}});
  });
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
  const auto line = Json::parse(lines);
  ASSERT_TRUE(line) << lines;
  EXPECT_EQ((*line)["agent"].string_or(""), "x\"}\n{\"agent\":\"forged");
}

}  // namespace
}  // namespace securebase::gateway
