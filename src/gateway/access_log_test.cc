// Lines about requests: what is in them, who cannot write them, and what happens when there are too many.
#include "gateway/access_log.h"

#include <condition_variable>

#include "gateway/gateway_test.h"

namespace securebase::gateway {
namespace {

class AccessLogTest : public GatewayTest {
 protected:
  // The lines of {logs}/access.log, once the gateway has ended.
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
    gateway.reset();  // writes what waits
    auto read = base::read_file(logs_ / "access.log", 1 << 20);
    EXPECT_TRUE(read);
    gateway = std::make_unique<Gateway>(Settings{.logs = logs_}, Doors{functions, tags, pool_, clock});
    return read ? *read : "";
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

class LogFilesTest : public testing::Test {
 protected:
  ~LogFilesTest() override { std::filesystem::remove_all(directory_); }
  std::string read(std::string_view name) {
    auto text = base::read_file(directory_ / name, 1 << 20);
    return text ? *text : "";
  }
  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("gateway-logs-" + base::random_hex(8));
};

TEST_F(LogFilesTest, DropsAndCountsWhatDoesNotFitItsQueue) {
  {
    LogFiles files(directory_, 3);  // which gathers for a moment before it writes
    for (int i = 0; i < 5; ++i) files.write("group/of/lines", fmt::format("line {}", i));
    EXPECT_EQ(files.dropped(), 2u);
  }
  EXPECT_EQ(read("group/of/lines.log"), "line 0\nline 1\nline 2\n") << "what waited is written at the end";
}

TEST_F(LogFilesTest, PutsAFullFileAside) {
  for (int i = 0; i < 4; ++i) {
    LogFiles files(directory_, 100, 16);
    files.write("access", fmt::format("line number {}", i));
  }
  EXPECT_EQ(read("access.log.1"), "line number 0\nline number 1\n");
  EXPECT_EQ(read("access.log"), "line number 2\nline number 3\n");
}

TEST_F(LogFilesTest, KeepsTheOrderOfLines) {
  std::string expected;
  {
    LogFiles files(directory_, 10'000);
    for (int i = 0; i < 2000; ++i) {
      files.write("access", std::to_string(i));
      expected += std::to_string(i) + "\n";
    }
    EXPECT_EQ(files.dropped(), 0u);
  }
  EXPECT_EQ(read("access.log"), expected);
}

}  // namespace
}  // namespace securebase::gateway
