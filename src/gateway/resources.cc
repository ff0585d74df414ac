// The Terraform resource types of the gateway (Terraform AWS provider, "API Gateway").
#include "gateway/resources.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "gateway/gateway.h"
#include "stack/declare.h"

namespace securebase::gateway {
namespace {

using namespace std::chrono_literals;
using stack::Context;
namespace tf = terraform;

constexpr std::string_view kIdAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

std::string api_id(const Context& context) { return context.id(10, kIdAlphabet); }
std::string short_id(const Context& context) { return context.id(6, kIdAlphabet); }

// The root resource has an id of its own, which follows from the API's address.
std::string root_id(const Context& context) {
  std::string id;
  for (const unsigned char byte : base::sha256("root resource of " + api_id(context)).substr(0, 10)) {
    id += kIdAlphabet[byte % kIdAlphabet.size()];
  }
  return id;
}

std::string execution_arn(const Context& context, std::string_view api) {
  return fmt::format("arn:{}:execute-api:{}:{}:{}", context.partition, context.region, context.account, api);
}

std::string apigateway_arn(const Context& context, std::string_view path) {
  return fmt::format("arn:{}:apigateway:{}::/{}", context.partition, context.region, path);
}

std::string invoke_url(const Context& context, std::string_view api, std::string_view stage) {
  return fmt::format("https://{}.execute-api.{}.amazonaws.com/{}", api, context.region, stage);
}

void declare_rest_api(stack::Catalogue& catalogue) {
  using T = tf::RestApi;
  catalogue.add(
      stack::resource<T>("aws_api_gateway_rest_api", "gateway", "A REST API.")
          .required("name", &T::name, stack::length(1, 1024), "Its name; metrics bear it.")
          .attribute("body", &T::body, std::nullopt,
                     "An OpenAPI 2 or 3 document, JSON or YAML, with the x-amazon-apigateway- extensions.")
          .effect("changes routes; the stage cache keeps what its route keeps")
          .attribute("put_rest_api_mode", &T::put_rest_api_mode, "overwrite", stack::one_of({"overwrite", "merge"}),
                     "Whether resources beside the body's stay: they do in both modes here.")
          .attribute("minimum_compression_size", &T::minimum_compression_size, std::nullopt,
                     stack::between(-1, 10'485'760), "Bytes from which responses are compressed; -1 or not set: none.")
          .attribute("binary_media_types", &T::binary_media_types, std::nullopt,
                     "Media types whose bodies are handed to functions in base64.")
          .attribute("tags", &T::tags, {},
                     "Labels. `securebase:id` pins the id; `securebase:authorizer-identity` = \"any\" lets one of an "
                     "authorizer's identity sources suffice.")
          .known("description")
          .known("api_key_source", "API keys are not checked here; a method that requires one is refused")
          .known("disable_execute_api_endpoint")
          .known("endpoint_configuration", "one machine is one endpoint")
          .known("fail_on_warnings")
          .known("parameters")
          .known("policy", "resource policies are not evaluated here")
          .known("tags_all")
          .computed("id", [](const T&, const Context& c) { return api_id(c); })
          .computed("root_resource_id", [](const T&, const Context& c) { return root_id(c); })
          .computed("arn", [](const T&, const Context& c) { return apigateway_arn(c, "restapis/" + api_id(c)); })
          .computed("execution_arn", [](const T&, const Context& c) { return execution_arn(c, api_id(c)); })
          .computed("created_date", [](const T&) { return "2026-01-24T00:00:00Z"; }));
}

void declare_routes(stack::Catalogue& catalogue) {
  {
    using T = tf::Resource;
    catalogue.add(stack::resource<T>("aws_api_gateway_resource", "gateway", "One segment of an API's paths.")
                      .required("rest_api_id", &T::rest_api_id, "The API.")
                      .required("parent_id", &T::parent_id, "The resource above, or the API's root_resource_id.")
                      .required("path_part", &T::path_part, "The segment: text, {parameter} or {proxy+}.")
                      .computed("id", [](const T&, const Context& c) { return short_id(c); }));
  }
  {
    using T = tf::Method;
    catalogue.add(stack::resource<T>("aws_api_gateway_method", "gateway", "A method of a resource.")
                      .required("rest_api_id", &T::rest_api_id, "The API.")
                      .required("resource_id", &T::resource_id, "The resource.")
                      .required("http_method", &T::http_method,
                                stack::one_of({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}),
                                "The method.")
                      .required("authorization", &T::authorization,
                                stack::one_of({"NONE", "CUSTOM", "AWS_IAM", "COGNITO_USER_POOLS"}),
                                "Who decides about callers: nobody (NONE) or a Lambda authorizer (CUSTOM).")
                      .attribute("authorizer_id", &T::authorizer_id, std::nullopt, "The authorizer, with CUSTOM.")
                      .attribute("api_key_required", &T::api_key_required, false,
                                 "Whether an API key is demanded: not to be had here, and an error.")
                      .attribute("request_validator_id", &T::request_validator_id, std::nullopt, "The validator.")
                      .attribute("request_parameters", &T::request_parameters, {},
                                 "method.request.{querystring,header,path}.NAME = whether it is required.")
                      .known("request_models", "bodies are not validated against models here")
                      .known("authorization_scopes", "they belong to COGNITO_USER_POOLS")
                      .known("operation_name")
                      .computed("id", [](const T& m, const Context&) {
                        return fmt::format("agm-{}-{}-{}", m.rest_api_id, m.resource_id, m.http_method);
                      }));
  }
  {
    using T = tf::MethodResponse;
    catalogue.add(stack::resource<T>("aws_api_gateway_method_response", "gateway",
                                     "A status that a method may answer with; integrations that are no proxies.")
                      .required("rest_api_id", &T::rest_api_id, "The API.")
                      .required("resource_id", &T::resource_id, "The resource.")
                      .required("http_method", &T::http_method, "The method.")
                      .required("status_code", &T::status_code, stack::matches("[1-5][0-9][0-9]"), "The status.")
                      .known("response_models", "bodies are not validated against models here")
                      .known("response_parameters", "the integration response says which headers there are")
                      .computed("id", [](const T& m, const Context&) {
                        return fmt::format("agmr-{}-{}-{}-{}", m.rest_api_id, m.resource_id, m.http_method,
                                           m.status_code);
                      }));
  }
}

void declare_integrations(stack::Catalogue& catalogue) {
  {
    using T = tf::Integration;
    catalogue.add(stack::resource<T>("aws_api_gateway_integration", "gateway", "What answers a method.")
                      .required("rest_api_id", &T::rest_api_id, "The API.")
                      .required("resource_id", &T::resource_id, "The resource.")
                      .required("http_method", &T::http_method, "The method.")
                      .required("type", &T::type, stack::one_of({"AWS_PROXY", "HTTP_PROXY", "MOCK", "AWS", "HTTP"}),
                                "AWS_PROXY, HTTP_PROXY or MOCK.")
                      .attribute("integration_http_method", &T::integration_http_method, std::nullopt,
                                 "POST for functions; of HTTP_PROXY the method to ask with.")
                      .attribute("uri", &T::uri, std::nullopt, "A function's invoke_arn, or a URL.")
                      .attribute("timeout_milliseconds", &T::timeout, 29'000ms, stack::between(50ms, 300'000ms),
                                 "How long the integration may take: 504 beyond.")
                      .attribute("cache_key_parameters", &T::cache_key_parameters, {},
                                 "What of a request is part of the stage cache's key, beside path and principal.")
                      .effect("empties the method's stage cache")
                      .attribute("request_parameters", &T::request_parameters, {},
                                 "integration.request.path.NAME = method.request.path.NAME, of HTTP_PROXY.")
                      .attribute("request_templates", &T::request_templates, {}, "Of MOCK: what gives the status code.")
                      .known("cache_namespace", "every method has a namespace of its own")
                      .known("connection_type", "one machine has one network")
                      .known("connection_id", "one machine has one network")
                      .known("content_handling")
                      .known("credentials", "functions are called in-process")
                      .known("passthrough_behavior", "proxy integrations pass everything through")
                      .known("tls_config")
                      .computed("id", [](const T& m, const Context&) {
                        return fmt::format("agi-{}-{}-{}", m.rest_api_id, m.resource_id, m.http_method);
                      }));
  }
  {
    using T = tf::IntegrationResponse;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_integration_response", "gateway", "What a MOCK integration answers.")
            .required("rest_api_id", &T::rest_api_id, "The API.")
            .required("resource_id", &T::resource_id, "The resource.")
            .required("http_method", &T::http_method, "The method.")
            .required("status_code", &T::status_code, stack::matches("[1-5][0-9][0-9]"), "The status.")
            .attribute("selection_pattern", &T::selection_pattern, std::nullopt,
                       "The status codes of the request template that this answers; not set: all others.")
            .attribute("response_parameters", &T::response_parameters, {},
                       "method.response.header.NAME = 'literal', in single quotes.")
            .attribute("response_templates", &T::response_templates, {}, "The body, by content type.")
            .known("content_handling")
            .computed("id", [](const T& m, const Context&) {
              return fmt::format("agir-{}-{}-{}-{}", m.rest_api_id, m.resource_id, m.http_method, m.status_code);
            }));
  }
}

void declare_stages(stack::Catalogue& catalogue) {
  {
    using T = tf::Deployment;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_deployment", "gateway",
                           "A state of an API. Here stages always serve the files' current state.")
            .required("rest_api_id", &T::rest_api_id, "The API.")
            .attribute("stage_name", &T::stage_name, std::nullopt, "Makes a stage of that name, without settings.")
            .attribute("variables", &T::variables, {}, "Of that stage.")
            .attribute("triggers", &T::triggers, {}, "What makes a new deployment.")
            .known("description")
            .known("stage_description")
            .known("canary_settings")
            .computed("id", [](const T&, const Context& c) { return short_id(c); })
            .computed("created_date", [](const T&) { return "2026-01-24T00:00:00Z"; })
            .computed("execution_arn",
                      [](const T& d, const Context& c) {
                        return execution_arn(c, d.rest_api_id) + "/" + d.stage_name.value_or("");
                      })
            .computed("invoke_url", [](const T& d, const Context& c) {
              return invoke_url(c, d.rest_api_id, d.stage_name.value_or(""));
            }));
  }
  {
    using T = tf::Stage;
    const auto log = stack::block<tf::AccessLog>("access_log_settings")
                         .required("destination_arn", &tf::AccessLog::destination_arn, "The log group's ARN.")
                         .required("format", &tf::AccessLog::format, "A line, with $context variables.");
    catalogue.add(
        stack::resource<T>("aws_api_gateway_stage", "gateway", "An API under a name, with variables and a cache.")
            .required("rest_api_id", &T::rest_api_id, "The API.")
            .required("deployment_id", &T::deployment_id, "The deployment.")
            .required("stage_name", &T::stage_name, stack::matches("[A-Za-z0-9_-]{1,128}"), "Its name.")
            .attribute("variables", &T::variables, {}, "stageVariables of events; ${stageVariables.NAME} in URIs.")
            .attribute("cache_cluster_enabled", &T::cache_cluster_enabled, false, "Whether the stage has a cache.")
            .effect("empties the stage cache when it becomes false")
            .attribute("cache_cluster_size", &T::cache_cluster_size, std::nullopt,
                       stack::one_of({"0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237"}),
                       "Gigabytes; the memory really used is bounded by the platform's setting.")
            .nested(log, &T::access_log, "Where a line for every request is written.")
            .attribute("tags", &T::tags, {}, "Labels.")
            .known("canary_settings", "canaries are not to be had here")
            .known("client_certificate_id")
            .known("description")
            .known("documentation_version")
            .known("tags_all")
            .known("xray_tracing_enabled", "every request is traced")
            .computed("id", [](const T& s, const Context&) { return "ags-" + s.rest_api_id + "-" + s.stage_name; })
            .computed("arn",
                      [](const T& s, const Context& c) {
                        return apigateway_arn(c, "restapis/" + s.rest_api_id + "/stages/" + s.stage_name);
                      })
            .computed("execution_arn",
                      [](const T& s, const Context& c) { return execution_arn(c, s.rest_api_id) + "/" + s.stage_name; })
            .computed("invoke_url",
                      [](const T& s, const Context& c) { return invoke_url(c, s.rest_api_id, s.stage_name); })
            .computed("web_acl_arn", [](const T&) { return ""; }));
  }
}

void declare_settings(stack::Catalogue& catalogue) {
  using M = MethodSettings;
  using Cache = M::UnauthorizedCacheControl;
  const auto settings =
      stack::block<M>("settings")
          .attribute("caching_enabled", &M::caching_enabled, std::nullopt,
                     "Whether responses are kept; with */* those to GET only.")
          .effect("empties the method's stage cache when it becomes false")
          .attribute("cache_ttl_in_seconds", &M::cache_ttl, std::nullopt, stack::between(0s, 3600s),
                     "How long at most; 300 when not set, 0: not at all.")
          .attribute("cache_data_encrypted", &M::cache_data_encrypted, std::nullopt,
                     "The stage cache is in memory only and never on disk, encrypted or not.")
          .attribute("require_authorization_for_cache_control", &M::require_authorization_for_cache_control,
                     std::nullopt, "Whether Cache-Control: max-age=0 needs execute-api:InvalidateCache.")
          .attribute("unauthorized_cache_control_header_strategy", &M::unauthorized_cache_control, std::nullopt,
                     stack::one_of<Cache>({{"FAIL_WITH_403", Cache::kFailWith403},
                                           {"SUCCEED_WITH_RESPONSE_HEADER", Cache::kSucceedWithHeader},
                                           {"SUCCEED_WITHOUT_RESPONSE_HEADER", Cache::kSucceedWithoutHeader}}),
                     "What callers get who may not; with the Warning header when not set.")
          .attribute("throttling_burst_limit", &M::throttling_burst_limit, std::nullopt, stack::at_least(-1),
                     "Requests at once to a method; -1: the account's limit alone.")
          .attribute("throttling_rate_limit", &M::throttling_rate_limit, std::nullopt, stack::at_least(-1),
                     "Requests a second to a method; -1: the account's limit alone.")
          .attribute("metrics_enabled", &M::metrics_enabled, std::nullopt, "Whether metrics by method are kept.")
          .attribute("logging_level", &M::logging, std::nullopt,
                     stack::one_of<M::Logging>(
                         {{"OFF", M::Logging::kOff}, {"ERROR", M::Logging::kError}, {"INFO", M::Logging::kInfo}}),
                     "Which execution log lines are written.")
          .attribute("data_trace_enabled", &M::data_trace_enabled, std::nullopt,
                     "Bodies are never logged here, whatever it says.");
  using T = tf::MethodSettingsResource;
  catalogue.add(
      stack::resource<T>("aws_api_gateway_method_settings", "gateway", "Cache, throttles and logging of methods.")
          .required("rest_api_id", &T::rest_api_id, "The API.")
          .required("stage_name", &T::stage_name, "The stage.")
          .required("method_path", &T::method_path, "*/* or RESOURCE/METHOD, without the first slash.")
          .nested(settings, &T::settings, "The settings; those not set are those of */*.")
          .required_block()
          .computed("id", [](const T& s, const Context&) {
            return s.rest_api_id + "-" + s.stage_name + "-" + s.method_path;
          }));
}

void declare_authorizers(stack::Catalogue& catalogue) {
  {
    using T = tf::Authorizer;
    catalogue.add(stack::resource<T>("aws_api_gateway_authorizer", "gateway", "A function that decides about callers.")
                      .required("name", &T::name, "Its name.")
                      .required("rest_api_id", &T::rest_api_id, "The API.")
                      .attribute("type", &T::type, "TOKEN", stack::one_of({"TOKEN", "REQUEST", "COGNITO_USER_POOLS"}),
                                 "TOKEN: by one header; REQUEST: by the request.")
                      .effect("drops its cached verdicts")
                      .attribute("authorizer_uri", &T::authorizer_uri, std::nullopt, "The function's invoke_arn.")
                      .attribute("identity_source", &T::identity_source, "method.request.header.Authorization",
                                 "What identifies a caller, separated by commas: the key of cached verdicts.")
                      .effect("drops its cached verdicts")
                      .attribute("identity_validation_expression", &T::identity_validation_expression, std::nullopt,
                                 "With TOKEN: what a token must look like (RE2); 401 otherwise.")
                      .attribute("authorizer_result_ttl_in_seconds", &T::ttl, 300s, stack::between(0s, 3600s),
                                 "How long a verdict is kept; 0: not at all.")
                      .known("authorizer_credentials", "functions are called in-process")
                      .known("provider_arns", "they belong to COGNITO_USER_POOLS")
                      .computed("id", [](const T&, const Context& c) { return short_id(c); })
                      .computed("arn", [](const T& a, const Context& c) {
                        return apigateway_arn(c, "restapis/" + a.rest_api_id + "/authorizers/" + short_id(c));
                      }));
  }
  {
    using T = tf::RequestValidator;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_request_validator", "gateway", "Whether required parameters are checked.")
            .required("name", &T::name, "Its name.")
            .required("rest_api_id", &T::rest_api_id, "The API.")
            .attribute("validate_request_parameters", &T::validate_request_parameters, false,
                       "400 when a required parameter is missing.")
            .known("validate_request_body", "bodies are not validated against models here")
            .computed("id", [](const T&, const Context& c) { return short_id(c); }));
  }
}

void declare_domains(stack::Catalogue& catalogue) {
  {
    using T = tf::DomainName;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_domain_name", "gateway", "A host that APIs answer for.")
            .required("domain_name", &T::domain_name, stack::matches("[A-Za-z0-9.*-]{1,512}"), "The host.")
            .attribute("tags", &T::tags, {}, "Labels.")
            .known("certificate_arn", "the listener's certificate is the platform's")
            .known("regional_certificate_arn", "the listener's certificate is the platform's")
            .known("certificate_name")
            .known("certificate_body")
            .known("certificate_chain")
            .known("certificate_private_key")
            .known("endpoint_configuration", "one machine is one endpoint")
            .known("mutual_tls_authentication", "client certificates are not asked for here")
            .known("ownership_verification_certificate_arn")
            .known("security_policy", "the listener's TLS settings are the platform's")
            .known("tags_all")
            .computed("id", [](const T& d, const Context&) { return d.domain_name; })
            .computed("arn",
                      [](const T& d, const Context& c) { return apigateway_arn(c, "domainnames/" + d.domain_name); })
            .computed("cloudfront_domain_name", [](const T& d) { return d.domain_name; })
            .computed("cloudfront_zone_id", [](const T&) { return "Z2FDTNDATAQYW2"; })
            .computed("regional_domain_name", [](const T& d) { return d.domain_name; })
            .computed("regional_zone_id", [](const T&) { return "Z1UJRXOUMOOFQ8"; }));
  }
  {
    using T = tf::BasePathMapping;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_base_path_mapping", "gateway", "An API's place on a domain.")
            .required("api_id", &T::api_id, "The API.")
            .required("domain_name", &T::domain_name, "The domain.")
            .attribute("stage_name", &T::stage_name, std::nullopt,
                       "The stage; when not set, the first segment of the path names it.")
            .attribute("base_path", &T::base_path, std::nullopt,
                       "The first segments of the path, taken off; not set: every other path.")
            .computed("id", [](const T& m, const Context&) { return m.domain_name + "/" + m.base_path.value_or(""); }));
  }
}

void declare_the_rest(stack::Catalogue& catalogue) {
  {
    using T = tf::GatewayResponse;
    catalogue.add(
        stack::resource<T>("aws_api_gateway_gateway_response", "gateway",
                           "What replaces an answer of the gateway's own.")
            .required("rest_api_id", &T::rest_api_id, "The API.")
            .required("response_type", &T::response_type, stack::matches("[A-Z0-9_]+"),
                      "DEFAULT_4XX, UNAUTHORIZED, THROTTLED, ...")
            .attribute("status_code", &T::status_code, std::nullopt, stack::matches("[1-5][0-9][0-9]"), "The status.")
            .attribute("response_parameters", &T::response_parameters, {},
                       "gatewayresponse.header.NAME = 'literal', in single quotes.")
            .attribute("response_templates", &T::response_templates, {},
                       "The body for application/json, with $context variables.")
            .computed("id",
                      [](const T& r, const Context&) { return "aggr-" + r.rest_api_id + "-" + r.response_type; }));
  }
  using T = tf::Named;
  const auto id = [](const T&, const Context& c) { return short_id(c); };
  catalogue.add(stack::resource<T>("aws_api_gateway_model", "gateway", "A schema; bodies are not validated here.")
                    .attribute("name", &T::name, std::nullopt, "Its name.")
                    .attribute("rest_api_id", &T::rest_api_id, std::nullopt, "The API.")
                    .known("content_type", "bodies are not validated against models here")
                    .known("description")
                    .known("schema", "bodies are not validated against models here")
                    .computed("id", id));
  catalogue.add(
      stack::resource<T>("aws_api_gateway_usage_plan", "gateway", "Quotas by API key; not enforced here.")
          .attribute("name", &T::name, std::nullopt, "Its name.")
          .known("api_stages", "usage plans are not enforced here")
          .known("quota_settings", "usage plans are not enforced here")
          .known("throttle_settings", "usage plans are not enforced here; method settings throttle")
          .known("description")
          .known("product_code")
          .known("tags")
          .computed("id", id)
          .computed("arn", [](const T&, const Context& c) { return apigateway_arn(c, "usageplans/" + short_id(c)); }));
  catalogue.add(stack::resource<T>("aws_api_gateway_usage_plan_key", "gateway", "A key of a usage plan.")
                    .known("key_id", "usage plans are not enforced here")
                    .known("key_type", "usage plans are not enforced here")
                    .known("usage_plan_id", "usage plans are not enforced here")
                    .computed("id", id));
  catalogue.add(
      stack::resource<T>("aws_api_gateway_api_key", "gateway", "An API key of a usage plan; not checked here.")
          .attribute("name", &T::name, std::nullopt, "Its name.")
          .known("value", "API keys are not checked here; a method that requires one is refused")
          .known("enabled")
          .known("description")
          .known("tags")
          .computed("id", id));
  catalogue.add(stack::resource<T>("aws_api_gateway_account", "gateway", "Settings of the account.")
                    .known("cloudwatch_role_arn", "log lines are written by the platform itself")
                    .computed("id", [](const T&) { return "api-gateway-account"; }));
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  declare_rest_api(catalogue);
  declare_routes(catalogue);
  declare_integrations(catalogue);
  declare_stages(catalogue);
  declare_settings(catalogue);
  declare_authorizers(catalogue);
  declare_domains(catalogue);
  declare_the_rest(catalogue);
}

}  // namespace securebase::gateway
