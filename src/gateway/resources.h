// The Terraform resources of the room, as their declarations (resources.cc) fill them. configure.cc makes an Api of
// them.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config.h"

namespace securebase::gateway::terraform {

using Text = std::optional<std::string>;
using Texts = std::map<std::string, std::string>;

struct RestApi {
  std::string name;
  Text body;  // OpenAPI 2 or 3, JSON or YAML
  std::string put_rest_api_mode;
  std::optional<std::int64_t> minimum_compression_size;  // -1: none
  std::optional<std::vector<std::string>> binary_media_types;
  Texts tags;
};

struct Resource {
  std::string rest_api_id, parent_id, path_part;
};

struct Method {
  std::string rest_api_id, resource_id, http_method, authorization;
  Text authorizer_id, request_validator_id;
  bool api_key_required = false;
  std::map<std::string, bool> request_parameters;
};

struct Integration {
  std::string rest_api_id, resource_id, http_method, type;
  Text integration_http_method, uri;
  std::chrono::milliseconds timeout{};
  std::vector<std::string> cache_key_parameters;
  Texts request_parameters, request_templates;
};

struct MethodResponse {
  std::string rest_api_id, resource_id, http_method, status_code;
};

struct IntegrationResponse {
  std::string rest_api_id, resource_id, http_method, status_code;
  Text selection_pattern;
  Texts response_parameters, response_templates;
};

struct Deployment {
  std::string rest_api_id;
  Text stage_name;
  Texts variables;
  Texts triggers;
};

struct AccessLog {
  std::string destination_arn, format;
};

struct Stage {
  std::string rest_api_id, deployment_id, stage_name;
  Texts variables;
  bool cache_cluster_enabled = false;
  Text cache_cluster_size;
  std::optional<AccessLog> access_log;
  Texts tags;
};

struct MethodSettingsResource {
  std::string rest_api_id, stage_name, method_path;
  MethodSettings settings;
};

struct Authorizer {
  std::string name, rest_api_id, type;
  Text authorizer_uri, identity_source, identity_validation_expression;
  std::chrono::seconds ttl{};
};

struct DomainName {
  std::string domain_name;
  Texts tags;
};

struct BasePathMapping {
  std::string api_id, domain_name;
  Text stage_name;
  Text base_path;
};

struct GatewayResponse {
  std::string rest_api_id, response_type;
  Text status_code;
  Texts response_parameters, response_templates;
};

struct RequestValidator {
  std::string name, rest_api_id;
  bool validate_request_parameters = false;
};

struct Named {  // resources of which only the name matters to others
  Text name;
  Text rest_api_id;
};

}  // namespace securebase::gateway::terraform
