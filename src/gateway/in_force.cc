#include "gateway/in_force.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "gateway/metrics.h"
#include "gateway/path.h"

namespace securebase::gateway {
namespace {

constexpr std::string_view kUserRequest = "/_user_request_";

std::string_view first_segment(std::string_view path) {
  if (path.empty() || path.front() != '/') return {};
  return path.substr(1, path.find('/', 1) == std::string_view::npos ? path.npos : path.find('/', 1) - 1);
}

// What is behind the first segment; "/" when there is nothing.
std::string_view behind_first_segment(std::string_view path) {
  const auto end = path.find('/', 1);
  return end == std::string_view::npos ? std::string_view("/") : path.substr(end);
}

void inherit(ResolvedSettings& out, const MethodSettings& settings, bool may_cache) {
  if (settings.caching_enabled) out.caching = *settings.caching_enabled && may_cache;
  if (settings.cache_ttl) out.cache_ttl = *settings.cache_ttl;
  if (settings.require_authorization_for_cache_control) {
    out.authorised_cache_control = *settings.require_authorization_for_cache_control;
  }
  if (settings.unauthorized_cache_control) out.unauthorised = *settings.unauthorized_cache_control;
  if (settings.throttling_burst_limit) out.burst = *settings.throttling_burst_limit;
  if (settings.throttling_rate_limit) out.rate = *settings.throttling_rate_limit;
  if (settings.metrics_enabled) out.metrics = *settings.metrics_enabled;
  if (settings.logging) out.logging = *settings.logging;
}

MethodInForce compile_method(const Stage& stage, const Resource& resource, const Method& method) {
  MethodInForce made;
  made.method = &method;
  made.settings = resolve_settings(stage, resource.path, method.name);
  made.function = with_stage_variables(method.integration.function, stage.variables);
  made.uri = with_stage_variables(method.integration.uri, stage.variables);
  std::string declared = fmt::format("{}\n{}\n{}\n{}\n", resource.path, method.name, made.function, made.uri);
  for (const auto& parameter : method.integration.cache_key) {
    declared += fmt::format("{}:{}\n", static_cast<int>(parameter.from), parameter.name);
  }
  if (method.authorizer) {
    declared += method.authorizer->version;
    made.authorizer_function = with_stage_variables(method.authorizer->function, stage.variables);
    if (!method.authorizer->validation_expression.empty()) {
      made.token_expression = std::make_unique<RE2>(method.authorizer->validation_expression, RE2::Quiet);
    }
  }
  made.cache_version = base::hex(base::sha256(declared)).substr(0, 16);
  // The texts were parsed when the stack was read.
  for (const auto& [type, text] : method.integration.request_templates) {
    if (auto parsed = MappingTemplate::parse(text)) made.request_templates.emplace(type, std::move(*parsed));
  }
  for (const auto& response : method.integration.mock_responses) {
    CompiledMock mock;
    mock.status = response.status;
    mock.source = &response;
    if (!response.selection_pattern.empty())
      mock.selection = std::make_unique<RE2>(response.selection_pattern, RE2::Quiet);
    for (const auto& [type, text] : response.templates) {
      if (auto parsed = MappingTemplate::parse(text)) mock.templates.emplace(type, std::move(*parsed));
    }
    made.mocks.push_back(std::move(mock));
  }
  return made;
}

// The predecessor's throttle goes on counting while the limits are the same: a reload is no way around them.
std::shared_ptr<Throttle> throttle_for(const ResolvedSettings& settings, const MethodInForce* before) {
  if (before && before->throttle->rate() == settings.rate && before->throttle->burst() == settings.burst) {
    return before->throttle;
  }
  return std::make_shared<Throttle>(settings.rate, settings.burst);
}

const MethodInForce* predecessor(const StageInForce* stage, const Resource& resource, const Method& method) {
  if (!stage) return nullptr;
  for (const auto& each : stage->resources) {
    if (each.resource->path != resource.path) continue;
    for (const auto& candidate : each.methods) {
      if (candidate.method->name == method.name) return &candidate;
    }
  }
  return nullptr;
}

std::unique_ptr<StageInForce> compile_stage(const Api& api, const Stage& stage, const StageInForce* before,
                                            std::size_t cache_bytes, telemetry::Registry& registry) {
  auto made = std::make_unique<StageInForce>();
  made->api = &api;
  made->stage = &stage;
  made->scope = api.id + "/" + stage.name;
  made->trace_name = api.name + "/" + stage.name;
  made->execution_host = fmt::format("{}.execute-api.{}.amazonaws.com", api.id, api.region);
  made->log_stream = base::hex(base::md5(made->scope));
  made->execution_log = fmt::format("API-Gateway-Execution-Logs_{}/{}", api.id, stage.name);
  made->api_meters = std::make_unique<Meters>(registry, telemetry::Dimensions{{"ApiName", api.name}});
  made->stage_meters =
      std::make_unique<Meters>(registry, telemetry::Dimensions{{"ApiName", api.name}, {"Stage", stage.name}});
  made->throttled = before ? before->throttled : std::make_shared<std::atomic<std::uint64_t>>(0);
  if (stage.cache_enabled) {
    const auto bytes = std::min(stage.cache_bytes, cache_bytes);
    made->cache = before && before->cache && before->cache->limit_bytes() == bytes
                      ? before->cache
                      : std::make_shared<StageCache>(made->scope, bytes);
  }
  if (!stage.access_log_group.empty()) made->log_format.emplace(stage.access_log_format);
  for (const auto& resource : api.resources) {
    if (resource.methods.empty()) continue;
    ResourceInForce place;
    place.resource = &resource;
    // configure() has checked both.
    if (auto names = parameter_names(resource.path)) place.parameter_names = std::move(*names);
    check(made->routes.add(resource.path, made->resources.size()).has_value(), "configure() checks routes");
    for (const auto& method : resource.methods) {
      auto compiled = compile_method(stage, resource, method);
      compiled.throttle = throttle_for(compiled.settings, predecessor(before, resource, method));
      if (compiled.settings.metrics) {
        compiled.meters = std::make_unique<Meters>(
            registry,
            telemetry::Dimensions{
                {"ApiName", api.name}, {"Stage", stage.name}, {"Resource", resource.path}, {"Method", method.name}});
      }
      place.methods.push_back(std::move(compiled));
    }
    made->resources.push_back(std::move(place));
  }
  return made;
}

}  // namespace

Meters::Meters(telemetry::Registry& registry, const telemetry::Dimensions& dimensions)
    : count(registry.counter(kCount, dimensions)),
      errors_4xx(registry.counter(k4xxError, dimensions)),
      errors_5xx(registry.counter(k5xxError, dimensions)),
      cache_hits(registry.counter(kCacheHitCount, dimensions)),
      cache_misses(registry.counter(kCacheMissCount, dimensions)),
      latency(registry.distribution(kLatency, dimensions)),
      integration_latency(registry.distribution(kIntegrationLatency, dimensions)) {}

MethodInForce::MethodInForce() = default;
MethodInForce::MethodInForce(MethodInForce&&) noexcept = default;
MethodInForce::~MethodInForce() = default;

ResolvedSettings resolve_settings(const Stage& stage, const std::string& resource_path, const std::string& method) {
  ResolvedSettings out;
  const auto apply = [&](const std::string& key, bool may_cache) {
    const auto found = stage.settings.find(key);
    if (found != stage.settings.end()) inherit(out, found->second, may_cache);
  };
  const auto path = resource_path.substr(1);
  apply("*/*", method == "GET");
  apply("*/" + method, true);
  apply(path.empty() ? "*" : path + "/*", method == "GET");
  apply(path.empty() ? method : path + "/" + method, true);
  return out;
}

const MethodInForce* ResourceInForce::find(std::string_view method) const {
  const MethodInForce* any = nullptr;
  for (const auto& each : methods) {
    if (each.method->name == method) return &each;
    if (each.method->name == "ANY") any = &each;
  }
  return any;
}

std::string_view bare_host(std::string_view authority, std::string& storage) {
  auto host = authority.substr(0, authority.rfind(':') == std::string_view::npos || authority.ends_with(']')
                                      ? authority.size()
                                      : authority.rfind(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  if (std::none_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) return host;
  storage.assign(host);
  for (auto& c : storage) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return storage;
}

std::string_view api_of_execution_host(std::string_view host) {
  constexpr std::string_view kMark = ".execute-api.";
  const auto at = host.find(kMark);
  if (at == std::string_view::npos || at == 0) return {};
  const auto rest = host.substr(at + kMark.size());
  if (!rest.ends_with("amazonaws.com") && !rest.starts_with("localhost")) return {};
  return host.substr(0, at);
}

const StageInForce* InForce::find_stage(std::string_view api, std::string_view stage) const {
  for (const auto& each : stages) {
    if (each->api->id == api && each->stage->name == stage) return each.get();
  }
  return nullptr;
}

bool InForce::serves(std::string_view authority) const {
  std::string storage;
  const auto host = bare_host(authority, storage);
  if (domains.contains(std::string(host))) return true;
  const auto api = api_of_execution_host(host);
  return !api.empty() &&
         std::any_of(config->apis.begin(), config->apis.end(), [api](const Api& each) { return each.id == api; });
}

InForce::Found InForce::locate(const http::Request& request, Place& place) const {
  const auto normal = normal_path(request.path, place.normal_storage);
  if (!normal) return Found::kBadPath;
  const std::string_view path = *normal;
  std::string host_storage;
  const auto host = bare_host(request.authority, host_storage);

  if (const auto domain = domains.find(std::string(host)); domain != domains.end()) {
    place.domain_name = domain->second->name;
    place.client_path = place.event_path = path;
    for (const auto& mapping : domain->second->mappings) {
      std::string_view rest = path;
      if (!mapping.base_path.empty()) {
        const auto& base_path = mapping.base_path;
        if (path.size() <= base_path.size() || path.compare(1, base_path.size(), base_path) != 0) continue;
        rest = path.substr(1 + base_path.size());
        if (rest.empty()) rest = "/";
        if (rest.front() != '/') continue;
      }
      std::string_view stage = mapping.stage;
      if (stage.empty()) {
        stage = first_segment(rest);
        rest = behind_first_segment(rest);
      }
      place.stage = find_stage(mapping.api_id, stage);
      place.resource_path = rest;
      if (place.stage) return Found::kYes;
    }
    return Found::kNoApi;
  }

  if (const auto api = api_of_execution_host(host); !api.empty()) {
    place.stage = find_stage(api, first_segment(path));
    if (!place.stage) return Found::kNoApi;
    place.domain_name = place.stage->execution_host;
    place.client_path = path;
    place.resource_path = place.event_path = behind_first_segment(path);
    return Found::kYes;
  }

  // /restapis/{api}/{stage}/_user_request_/{path}
  if (!path.starts_with("/restapis/")) return Found::kNoApi;
  auto rest = path.substr(9);
  const auto api = first_segment(rest);
  rest = behind_first_segment(rest);
  const auto stage = first_segment(rest);
  rest = behind_first_segment(rest);
  if (!rest.starts_with(kUserRequest)) return Found::kNoApi;
  rest.remove_prefix(kUserRequest.size());
  if (rest.empty()) rest = "/";
  if (rest.front() != '/') return Found::kNoApi;
  place.stage = find_stage(api, stage);
  if (!place.stage) return Found::kNoApi;
  place.client_storage = fmt::format("/{}{}", stage, rest);
  place.domain_name = place.stage->execution_host;
  place.client_path = place.client_storage;
  place.resource_path = place.event_path = rest;
  return Found::kYes;
}

std::shared_ptr<const InForce> put_in_force(std::shared_ptr<const Config> config, const InForce* before,
                                            std::size_t cache_bytes, telemetry::Registry& registry,
                                            base::TimePoint now) {
  auto made = std::make_shared<InForce>();
  made->since = now;
  made->config = std::move(config);
  std::size_t caches = 0;
  for (const auto& api : made->config->apis) {
    for (const auto& stage : api.stages) caches += stage.cache_enabled;
  }
  for (const auto& api : made->config->apis) {
    for (const auto& stage : api.stages) {
      const auto* was = before ? before->find_stage(api.id, stage.name) : nullptr;
      made->stages.push_back(compile_stage(api, stage, was, cache_bytes / std::max<std::size_t>(1, caches), registry));
    }
  }
  for (const auto& domain : made->config->domains) made->domains.emplace(domain.name, &domain);
  return made;
}

}  // namespace securebase::gateway
