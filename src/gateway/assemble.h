// What Terraform's resources and OpenAPI documents say alike, checked and made into the parts of an Api.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/config.h"

namespace securebase::gateway {

struct IntegrationSource {
  struct Response {
    std::string status_code;
    std::string selection_pattern;
    std::map<std::string, std::string> parameters;  // method.response.header.NAME -> 'literal'
    std::map<std::string, std::string> templates;
  };
  std::string type;  // any case
  std::string uri;
  std::string http_method;
  std::chrono::milliseconds timeout{29'000};
  std::vector<std::string> cache_key_parameters;
  std::map<std::string, std::string> request_parameters;
  std::map<std::string, std::string> request_templates;
  std::vector<Response> responses;
};
Result<Integration> make_integration(const IntegrationSource& source);

struct AuthorizerSource {
  std::string id;
  std::string name;
  std::string type;  // any case
  std::string uri;
  std::string identity_source;
  std::string validation_expression;
  std::chrono::seconds ttl{300};
  bool any_identity = false;
};
Result<std::shared_ptr<const Authorizer>> make_authorizer(const AuthorizerSource& source);

// "UNAUTHORIZED", "401", gatewayresponse.header.NAME -> 'literal', templates by content type.
Result<GatewayResponse> make_gateway_response(const std::string& type, const std::string& status_code,
                                              const std::map<std::string, std::string>& parameters,
                                              const std::map<std::string, std::string>& templates);

}  // namespace securebase::gateway
