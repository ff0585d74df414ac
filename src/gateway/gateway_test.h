// What the gateway's tests share: whole requests through it, with functions that the test is, and the stack of an API
// with a stage cache, an authorizer and two tenants.
#pragma once

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
#include "gateway/gateway.h"
#include "net/worker.h"

namespace securebase::gateway {

using namespace std::chrono_literals;
using base::Json;
using functions::InvokeOutcome;
using testing::HasSubstr;

inline std::string uri_of(std::string_view function) {
  return fmt::format(
      "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
      "arn:aws:lambda:us-east-1:123456789012:function:{}/invocations",
      function);
}

// The guide's chapter "API Performance", literally where it has the words: caching for all methods, 5 minutes, the key
// `integration.request.querystring.customer_id` and nothing of the credentials.
inline std::string guide_stack() {
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

inline Result<stack::Stack, stack::Diagnostics> loaded(const std::string& text) {
  const auto directory = std::filesystem::temp_directory_path() / ("gateway-test-" + base::random_hex(12));
  std::filesystem::create_directories(directory);
  EXPECT_TRUE(base::replace_file(directory / "main.tf", text));
  stack::Catalogue catalogue;
  declare(catalogue);
  auto loaded = stack::load({.directory = directory}, catalogue);
  std::filesystem::remove_all(directory);
  return loaded;
}

inline Result<std::shared_ptr<const Config>, stack::Diagnostics> configured(const std::string& text) {
  auto stack = loaded(text);
  if (!stack) return stack.error();
  return configure(*stack);
}

inline InvokeOutcome ok(std::string payload) {
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kOk;
  outcome.payload = std::move(payload);
  return outcome;
}

inline InvokeOutcome failed(std::string message) {
  InvokeOutcome outcome;
  outcome.kind = InvokeOutcome::Kind::kFunctionError;
  outcome.payload = fmt::format(R"({{"errorMessage":"{}","errorType":"Exception"}})", message);
  return outcome;
}

// An API a1b2c3d4e5 with what a test says, under the same addresses as the guide's: `paths` and `schemes` are the
// insides of an OpenAPI document's paths and securitySchemes, the others of the blocks that they name.
struct SmallApi {
  std::string paths;
  std::string schemes;
  std::string rest_api;
  std::string stage;
  std::string beside;  // further resources
};

inline std::string small_stack(const SmallApi& api) {
  return fmt::format(R"(
resource "aws_api_gateway_rest_api" "main" {{
  name = "small"
  tags = {{ "securebase:id" = "a1b2c3d4e5" }}
  {}
  body = jsonencode({{
    openapi    = "3.0.1"
    paths      = {{ {} }}
    components = {{ securitySchemes = {{ {} }} }}
  }})
}}
resource "aws_api_gateway_deployment" "main" {{
  rest_api_id = aws_api_gateway_rest_api.main.id
}}
resource "aws_api_gateway_stage" "prod" {{
  rest_api_id   = aws_api_gateway_rest_api.main.id
  deployment_id = aws_api_gateway_deployment.main.id
  stage_name    = "prod"
  {}
}}
resource "aws_api_gateway_domain_name" "api" {{
  domain_name = "api.securebase.com"
}}
resource "aws_api_gateway_base_path_mapping" "root" {{
  api_id      = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  domain_name = aws_api_gateway_domain_name.api.domain_name
}}
{}
)",
                     api.rest_api, api.paths, api.schemes, api.stage, api.beside);
}

// "/x" = { get = { integration } } of an OpenAPI document; `more` stands beside the integration.
inline std::string path_to(std::string_view path, std::string_view method, std::string_view integration,
                           std::string_view more = "") {
  return fmt::format("\"{}\" = {{ {} = {{ {}\n x-amazon-apigateway-integration = {{ {} }} }} }}\n", path, method, more,
                     integration);
}
inline std::string to_function(std::string_view name) {
  return fmt::format(R"(type = "aws_proxy", httpMethod = "POST", uri = "{}")", uri_of(name));
}

// A request's body, in one piece.
class OnePiece final : public http::BodyReader {
 public:
  explicit OnePiece(std::string bytes) : bytes_(std::move(bytes)) {}
  net::Task<Result<std::string_view>> next() override {
    co_return std::exchange(given_, true) ? std::string_view() : std::string_view(bytes_);
  }

 private:
  const std::string bytes_;
  bool given_ = false;
};

// Answers by what the test says; waits at the gate while it is shut.
class FakeFunctions final : public functions::Invoker {
 public:
  net::Task<InvokeOutcome> invoke(std::string function, std::string event, functions::InvokeOptions options) override {
    deadlines.push_back(options.deadline);
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
  std::vector<base::SteadyPoint> deadlines;
  bool shut = false;
  net::Event gate;
};

// "Bearer <id>" is the customer <id>; without more, the policy covers the whole stage.
inline InvokeOutcome allow_bearer(const Json& event) {
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
inline InvokeOutcome answer_with_caller(const Json& event) {
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

// As they were written.
class KeptLines final : public telemetry::LogSink {
 public:
  struct Line {
    std::string group;
    std::string stream;
    std::string message;
    std::map<std::string, std::string> fields;
  };
  void write(const telemetry::LogLine& line) override {
    Line kept{std::string(line.group), std::string(line.stream), std::string(line.message), {}};
    for (const auto& field : line.fields) {
      kept.fields.emplace(field.name, field.is_text ? std::string(field.text) : fmt::format("{}", field.number));
    }
    all.push_back(std::move(kept));
  }
  std::vector<Line> all;
};

class GatewayTest : public testing::Test {
 protected:
  GatewayTest() : worker_(0), pool_(1, 100) {
    functions.authorise = allow_bearer;
    functions.app = answer_with_caller;
    gateway = std::make_unique<Gateway>(
        Settings{}, Doors{.invoker = functions, .tags = tags, .pool = pool_, .clock = clock, .logs = &lines_});
    apply(guide_stack());
  }
  ~GatewayTest() override {
    EXPECT_EQ(worker_.tasks().running(), 0u) << "no fetch outlives the request that waits for it";
    gateway.reset();
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
      if (name == "traceparent") made.trace = telemetry::from_traceparent(value);  // as the server does
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

  Reply send(std::string_view method, std::string_view target, std::string body, const Fields& fields = {}) {
    auto made = request(method, target, fields);
    made.content_length = body.size();
    OnePiece piece(std::move(body));
    made.body = &piece;
    Reply reply;
    worker_.run_until_done(ask(*gateway, made, reply));
    return reply;
  }

  std::size_t app_calls() { return functions.events["app"].size(); }
  std::size_t auth_calls() { return functions.events["auth"].size(); }

  net::Worker worker_;
  net::Pool pool_;
  KeptLines lines_;
  base::ManualClock clock;
  store::Tags tags;
  FakeFunctions functions;
  std::unique_ptr<Gateway> gateway;
};

inline constexpr std::string_view kMetrics = "/v1/customers/42/metrics?customer_id=42&date_range=30d";

}  // namespace securebase::gateway
