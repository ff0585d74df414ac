// An API as it is configured: what Terraform's resources or an OpenAPI document come to, after everything was resolved
// and checked. Values; immutable once configure() has made them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::gateway {

// Where a value is taken from: `method.request.querystring.customer_id`, `context.identity.sourceIp`, ... Of proxy
// integrations, which map nothing, `integration.request.` names the same things as `method.request.`.
struct Parameter {
  enum class From { kQuery, kMultiQuery, kHeader, kMultiHeader, kPath, kContext, kStageVariable };
  From from = From::kQuery;
  std::string name;

  static Result<Parameter> parse(std::string_view text);
  bool operator==(const Parameter&) const = default;
};

// What a MOCK integration answers when its request template gives this status code.
struct MockResponse {
  int status = 200;
  std::string selection_pattern;                           // empty: the default
  std::vector<std::pair<std::string, std::string>> fixed;  // header name -> literal text
  std::map<std::string, std::string> templates;            // by content type
};

struct Integration {
  enum class Type { kAwsProxy, kHttpProxy, kMock };
  Type type = Type::kMock;
  std::string function;     // kAwsProxy: the ARN; may hold ${stageVariables.name}
  std::string uri;          // kHttpProxy; may hold {parameter} and ${stageVariables.name}
  std::string http_method;  // kHttpProxy: "ANY" passes the request's own on
  std::chrono::milliseconds timeout{29'000};
  std::vector<Parameter> cache_key;
  std::map<std::string, Parameter> path_parameters;      // kHttpProxy: {parameter} of the URI -> where it comes from
  std::map<std::string, std::string> request_templates;  // kMock, by content type
  std::vector<MockResponse> mock_responses;
};

struct Authorizer {
  enum class Type { kToken, kRequest };
  std::string id;
  std::string name;
  Type type = Type::kToken;
  std::string function;               // the ARN
  std::vector<Parameter> identity;    // kToken: one header
  bool any_identity = false;          // the tag securebase:authorizer-identity = "any": one of them suffices
  std::string validation_expression;  // kToken: RE2; empty: anything
  std::chrono::seconds ttl{300};      // 0: asked for every request
  // Over everything above, in hex: a changed authorizer does not find the verdicts of its predecessor.
  std::string version;
};

struct Method {
  std::string name;                              // "GET", "ANY"
  std::shared_ptr<const Authorizer> authorizer;  // null: authorization NONE
  std::vector<Parameter> required;  // request parameters that must be there, when the validator asks for it
  Integration integration;
};

struct Resource {
  std::string id;
  std::string path;  // "/v1/customers/{id}", "/{proxy+}", "/"
  std::vector<Method> methods;
};

// The settings of aws_api_gateway_method_settings; what is not set comes from "*/*", then from these defaults.
struct MethodSettings {
  enum class UnauthorizedCacheControl { kFailWith403, kSucceedWithHeader, kSucceedWithoutHeader };
  enum class Logging { kOff, kError, kInfo };
  std::optional<bool> caching_enabled;
  std::optional<std::chrono::seconds> cache_ttl;
  std::optional<bool> cache_data_encrypted;
  std::optional<bool> require_authorization_for_cache_control;
  std::optional<UnauthorizedCacheControl> unauthorized_cache_control;
  std::optional<std::int64_t> throttling_burst_limit;  // -1: the account's
  std::optional<double> throttling_rate_limit;         // requests a second; -1: the account's
  std::optional<bool> metrics_enabled;
  std::optional<Logging> logging;
  std::optional<bool> data_trace_enabled;
};

struct Stage {
  std::string name;
  std::string deployment_id;
  std::map<std::string, std::string> variables;
  bool cache_enabled = false;
  std::size_t cache_bytes = 0;
  std::string access_log_group;   // "" for none
  std::string access_log_format;  // with $context variables
  // "*/*" or "v1/health/GET": resource path without its first '/', then the method.
  std::map<std::string, MethodSettings> settings;
};

// What replaces one of the gateway's own answers (aws_api_gateway_gateway_response).
struct GatewayResponse {
  std::optional<int> status;
  std::map<std::string, std::string> headers;  // name -> literal text
  std::string body_template;                   // for application/json; empty: the default one
};

struct Api {
  std::string id;
  std::string name;
  std::string account;
  std::string region;
  std::vector<Resource> resources;
  std::vector<Stage> stages;
  std::optional<std::size_t> minimum_compression_bytes;
  std::vector<std::string> binary_media_types;               // lower case
  std::map<std::string, GatewayResponse> gateway_responses;  // by type: "DEFAULT_4XX", "UNAUTHORIZED"
};

struct BasePathMapping {
  std::string base_path;  // without slashes around; empty: every path that no other mapping takes
  std::string api_id;
  std::string stage;
};

struct Domain {
  std::string name;  // lower case
  std::vector<BasePathMapping> mappings;
};

struct Config {
  std::vector<Api> apis;
  std::vector<Domain> domains;
  std::string account;
  std::string region;
};

// The ARN in `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}/invocations`.
Result<std::string> function_of_uri(std::string_view uri);

// "~1v1~1health/GET", "/v1/health/GET" and "v1/health/GET" are one method path.
std::string normal_method_path(std::string_view text);

// "securebase-prod" of arn:aws:logs:{region}:{account}:log-group:securebase-prod[:*].
Result<std::string> log_group_of_arn(std::string_view arn);

// 'literal' of a mapping in Terraform: the text between its quotes; nullopt when it is no literal.
std::optional<std::string> literal_of(std::string_view mapping);

// {name} as {value of ${stageVariables.name}}; what is not defined becomes empty, as in AWS.
std::string with_stage_variables(std::string_view text, const std::map<std::string, std::string>& variables);

}  // namespace securebase::gateway
