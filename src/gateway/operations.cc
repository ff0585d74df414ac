// API Gateway's API: GetRestApis, GetRestApi, GetResources, GetMethod, GetStages, GetStage, GetDeployments,
// GetDomainNames, GetBasePathMappings, FlushStageCache, FlushStageAuthorizersCache. APIs are what the stack makes them;
// these show them, and empty their caches.
#include "gateway/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "gateway/engine.h"
#include "gateway/gateway.h"

namespace securebase::gateway {

namespace {

using aws::Answer;
using aws::Fault;
using aws::Outcome;
using aws::Value;

Fault not_found(std::string_view what) {
  return {"NotFoundException", fmt::format("Invalid {} identifier specified", what), 404, {}};
}

Value texts(const std::map<std::string, std::string>& all) {
  auto made = Value::structure();
  for (const auto& [name, value] : all) made.set(name, value);
  return made;
}

// ---- APIs and their resources

Value describe(const Api& api, base::TimePoint since) {
  auto made =
      Value::structure({{"id", api.id}, {"name", api.name}, {"createdDate", since}, {"apiKeySource", "HEADER"}});
  if (!api.binary_media_types.empty()) {
    auto types = Value::list();
    for (const auto& type : api.binary_media_types) types.push_back(type);
    made.set("binaryMediaTypes", std::move(types));
  }
  if (api.minimum_compression_bytes) made.set("minimumCompressionSize", *api.minimum_compression_bytes);
  made.set("endpointConfiguration", Value::structure({{"types", Value::list({"REGIONAL"})}}));
  made.set("disableExecuteApiEndpoint", false);
  return made;
}

const Resource* parent_of(const Api& api, const Resource& resource) {
  if (resource.path == "/") return nullptr;
  const auto slash = resource.path.rfind('/');
  const auto above = slash == 0 ? std::string("/") : resource.path.substr(0, slash);
  for (const auto& each : api.resources) {
    if (each.path == above) return &each;
  }
  return nullptr;
}

Value describe(const Resource& resource, const Api& api, bool with_methods) {
  auto made = Value::structure({{"id", resource.id}, {"path", resource.path}});
  if (const auto* parent = parent_of(api, resource)) made.set("parentId", parent->id);
  if (resource.path != "/") made.set("pathPart", resource.path.substr(resource.path.rfind('/') + 1));
  if (resource.methods.empty()) return made;
  auto methods = Value::structure();
  for (const auto& method : resource.methods) {
    methods.set(method.name, with_methods ? gateway::describe(method, api) : Value::structure());
  }
  made.set("resourceMethods", std::move(methods));
  return made;
}

Value describe(const Integration& integration, const Api& api) {
  auto made = Value::structure({{"timeoutInMillis", integration.timeout.count()}});
  switch (integration.type) {
    case Integration::Type::kAwsProxy:
      made.set("type", "AWS_PROXY");
      made.set("httpMethod", "POST");
      made.set("uri", fmt::format("arn:aws:apigateway:{}:lambda:path/2015-03-31/functions/{}/invocations", api.region,
                                  integration.function));
      break;
    case Integration::Type::kHttpProxy:
      made.set("type", "HTTP_PROXY");
      made.set("httpMethod", integration.http_method);
      made.set("uri", integration.uri);
      break;
    case Integration::Type::kMock:
      made.set("type", "MOCK");
      break;
  }
  auto keys = Value::list();
  for (const auto& key : integration.cache_key) keys.push_back(to_text(key));
  made.set("cacheKeyParameters", std::move(keys));
  if (!integration.request_templates.empty()) made.set("requestTemplates", texts(integration.request_templates));
  if (!integration.path_parameters.empty()) {
    auto parameters = Value::structure();
    for (const auto& [name, from] : integration.path_parameters) {
      parameters.set("integration.request.path." + name, to_text(from));
    }
    made.set("requestParameters", std::move(parameters));
  }
  auto responses = Value::structure();
  for (const auto& mock : integration.mock_responses) {
    auto response = Value::structure({{"statusCode", std::to_string(mock.status)}});
    if (!mock.selection_pattern.empty()) response.set("selectionPattern", mock.selection_pattern);
    auto parameters = Value::structure();
    for (const auto& [name, value] : mock.fixed) {
      parameters.set("method.response.header." + name, fmt::format("'{}'", value));
    }
    if (!mock.fixed.empty()) response.set("responseParameters", std::move(parameters));
    if (!mock.templates.empty()) response.set("responseTemplates", texts(mock.templates));
    responses.set(std::to_string(mock.status), std::move(response));
  }
  if (!integration.mock_responses.empty()) made.set("integrationResponses", std::move(responses));
  return made;
}

// ---- Stages

const char* name_of(MethodSettings::Logging logging) {
  switch (logging) {
    case MethodSettings::Logging::kError:
      return "ERROR";
    case MethodSettings::Logging::kInfo:
      return "INFO";
    case MethodSettings::Logging::kOff:
      break;
  }
  return "OFF";
}

const char* name_of(MethodSettings::UnauthorizedCacheControl strategy) {
  switch (strategy) {
    case MethodSettings::UnauthorizedCacheControl::kFailWith403:
      return "FAIL_WITH_403";
    case MethodSettings::UnauthorizedCacheControl::kSucceedWithoutHeader:
      return "SUCCEED_WITHOUT_RESPONSE_HEADER";
    case MethodSettings::UnauthorizedCacheControl::kSucceedWithHeader:
      break;
  }
  return "SUCCEED_WITH_RESPONSE_HEADER";
}

Value describe(const MethodSettings& said) {
  const ResolvedSettings usual;
  using Strategy = MethodSettings::UnauthorizedCacheControl;
  return Value::structure(
      {{"metricsEnabled", said.metrics_enabled.value_or(false)},
       {"loggingLevel", name_of(said.logging.value_or(MethodSettings::Logging::kOff))},
       {"dataTraceEnabled", said.data_trace_enabled.value_or(false)},
       {"throttlingBurstLimit", said.throttling_burst_limit.value_or(usual.burst)},
       {"throttlingRateLimit", said.throttling_rate_limit.value_or(usual.rate)},
       {"cachingEnabled", said.caching_enabled.value_or(false)},
       {"cacheTtlInSeconds", said.cache_ttl.value_or(usual.cache_ttl).count()},
       {"cacheDataEncrypted", said.cache_data_encrypted.value_or(false)},
       {"requireAuthorizationForCacheControl", said.require_authorization_for_cache_control.value_or(true)},
       {"unauthorizedCacheControlHeaderStrategy",
        name_of(said.unauthorized_cache_control.value_or(Strategy::kSucceedWithHeader))}});
}

Value describe(const Stage& stage, base::TimePoint since) {
  auto settings = Value::structure();
  for (const auto& [path, said] : stage.settings) settings.set(path, describe(said));
  auto made = Value::structure({{"deploymentId", stage.deployment_id},
                                {"stageName", stage.name},
                                {"cacheClusterEnabled", stage.cache_enabled},
                                {"cacheClusterStatus", stage.cache_enabled ? "AVAILABLE" : "NOT_AVAILABLE"},
                                {"methodSettings", std::move(settings)},
                                {"tracingEnabled", false},
                                {"createdDate", since},
                                {"lastUpdatedDate", since}});
  if (stage.cache_enabled)
    made.set("cacheClusterSize", fmt::format("{}", static_cast<double>(stage.cache_bytes) / 1e9));
  if (!stage.variables.empty()) made.set("variables", texts(stage.variables));
  return made;
}

// ---- Operations, each on the configuration in force

class Shown {
 public:
  Shown(const Engine& engine, const aws::Call& call)
      : in_force_(engine.current.get()), call_(call), config_(*in_force_->config) {}

  Outcome apis() const {
    auto items = Value::list();
    for (const auto& api : config_.apis) items.push_back(describe(api, in_force_->since));
    return page(std::move(items), "id");
  }
  Outcome one_api() const {
    const auto* found = api();
    return found ? Outcome(Answer(describe(*found, in_force_->since))) : Outcome(not_found("API"));
  }
  Outcome resources() const {
    const auto* found = api();
    if (!found) return not_found("API");
    bool with_methods = false;
    for (const auto& word : call_.input["embed"].elements()) with_methods |= word.string_or("") == "methods";
    auto items = Value::list();
    for (const auto& resource : found->resources) items.push_back(describe(resource, *found, with_methods));
    return page(std::move(items), "id");
  }
  Outcome method() const {
    const auto* found = api();
    if (!found) return not_found("API");
    const auto id = call_.input["resourceId"].string_or(""), name = call_.input["httpMethod"].string_or("");
    for (const auto& resource : found->resources) {
      if (resource.id != id) continue;
      for (const auto& each : resource.methods) {
        if (each.name == name) return Answer(gateway::describe(each, *found));
      }
      return not_found("Method");
    }
    return not_found("Resource");
  }
  Outcome stages() const {
    const auto* found = api();
    if (!found) return not_found("API");
    const auto deployment = call_.input["deploymentId"].string_or("");
    auto items = Value::list();
    for (const auto& stage : found->stages) {
      if (deployment.empty() || stage.deployment_id == deployment) items.push_back(describe_stage(*found, stage));
    }
    return Answer(Value::structure({{"item", std::move(items)}}));
  }
  Outcome one_stage() const {
    const auto* found = api();
    if (!found) return not_found("API");
    for (const auto& stage : found->stages) {
      if (stage.name == call_.input["stageName"].string_or("")) return Answer(describe_stage(*found, stage));
    }
    return not_found("stage");
  }
  Outcome deployments() const {
    const auto* found = api();
    if (!found) return not_found("API");
    std::set<std::string> ids;
    for (const auto& stage : found->stages) {
      if (!stage.deployment_id.empty()) ids.insert(stage.deployment_id);
    }
    auto items = Value::list();
    for (const auto& id : ids) items.push_back(Value::structure({{"id", id}, {"createdDate", in_force_->since}}));
    return page(std::move(items), "id");
  }
  Outcome domains() const {
    auto items = Value::list();
    for (const auto& domain : config_.domains) {
      items.push_back(
          Value::structure({{"domainName", domain.name},
                            {"regionalDomainName", domain.name},
                            {"domainNameStatus", "AVAILABLE"},
                            {"endpointConfiguration", Value::structure({{"types", Value::list({"REGIONAL"})}})}}));
    }
    return page(std::move(items), "domainName");
  }
  Outcome mappings() const {
    const auto name = call_.input["domainName"].string_or("");
    for (const auto& domain : config_.domains) {
      if (!http::equal_ignoring_case(domain.name, name)) continue;
      auto items = Value::list();
      for (const auto& mapping : domain.mappings) {
        auto one = Value::structure(
            {{"basePath", mapping.base_path.empty() ? "(none)" : mapping.base_path}, {"restApiId", mapping.api_id}});
        if (!mapping.stage.empty()) one.set("stage", mapping.stage);
        items.push_back(std::move(one));
      }
      return page(std::move(items), "basePath");
    }
    return not_found("domain name");
  }

 private:
  const Api* api() const {
    for (const auto& each : config_.apis) {
      if (each.id == call_.input["restApiId"].string_or("")) return &each;
    }
    return nullptr;
  }
  Value describe_stage(const Api& api, const Stage& stage) const {
    auto made = describe(stage, in_force_->since);
    if (!stage.access_log_format.empty()) {
      made.set("accessLogSettings",
               Value::structure({{"format", stage.access_log_format},
                                 {"destinationArn", fmt::format("arn:aws:logs:{}:{}:log-group:{}", api.region,
                                                                api.account, stage.access_log_group)}}));
    }
    return made;
  }
  Outcome page(Value items, std::string_view key) const {
    auto made = aws::paginate(call_, Value::structure({{"items", std::move(items)}}), key);
    if (!made) return made.error();
    return Answer(std::move(*made));
  }

  const std::shared_ptr<const InForce> in_force_;
  const aws::Call& call_;
  const Config& config_;
};

Outcome flushed(const Result<std::size_t>& done) {
  if (!done) return not_found("stage");
  return Answer();
}

}  // namespace

std::string to_text(const Parameter& parameter) {
  const auto prefix = [&parameter]() -> std::string_view {
    switch (parameter.from) {
      case Parameter::From::kQuery:
        return "method.request.querystring.";
      case Parameter::From::kMultiQuery:
        return "method.request.multivaluequerystring.";
      case Parameter::From::kHeader:
        return "method.request.header.";
      case Parameter::From::kMultiHeader:
        return "method.request.multivalueheader.";
      case Parameter::From::kPath:
        return "method.request.path.";
      case Parameter::From::kContext:
        return "context.";
      case Parameter::From::kStageVariable:
        break;
    }
    return "stageVariables.";
  };
  return std::string(prefix()) + parameter.name;
}

aws::Value describe(const Method& method, const Api& api) {
  auto made = Value::structure({{"httpMethod", method.name},
                                {"authorizationType", method.authorizer ? "CUSTOM" : "NONE"},
                                {"apiKeyRequired", false},
                                {"methodIntegration", describe(method.integration, api)}});
  if (method.authorizer) made.set("authorizerId", method.authorizer->id);
  if (!method.required.empty()) {
    auto parameters = Value::structure();
    for (const auto& each : method.required) parameters.set(to_text(each), true);
    made.set("requestParameters", std::move(parameters));
  }
  return made;
}

void add_operations(aws::Operations& operations, Gateway& gateway) {
  const Engine& engine = *gateway.engine_;
  const auto add = [&](std::string_view name, Outcome (Shown::*read)() const) {
    operations.add("apigateway", name,
                   [&engine, read](const aws::Call& call) { return (Shown(engine, call).*read)(); });
  };
  add("GetRestApis", &Shown::apis);
  add("GetRestApi", &Shown::one_api);
  add("GetResources", &Shown::resources);
  add("GetMethod", &Shown::method);
  add("GetStages", &Shown::stages);
  add("GetStage", &Shown::one_stage);
  add("GetDeployments", &Shown::deployments);
  add("GetDomainNames", &Shown::domains);
  add("GetBasePathMappings", &Shown::mappings);
  operations.add("apigateway", "FlushStageCache", [&gateway](const aws::Call& call) {
    return flushed(
        gateway.flush_stage_cache(call.input["restApiId"].string_or(""), call.input["stageName"].string_or("")));
  });
  operations.add("apigateway", "FlushStageAuthorizersCache", [&gateway](const aws::Call& call) {
    return flushed(
        gateway.flush_authorizers_cache(call.input["restApiId"].string_or(""), call.input["stageName"].string_or("")));
  });
}

}  // namespace securebase::gateway
