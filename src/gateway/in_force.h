// A configuration in force: routes compiled, settings resolved for each method, throttles and caches attached. Made by
// apply(), then constant, save for what counts in it. Requests hold the one under which they were admitted.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/access_log.h"
#include "gateway/config.h"
#include "gateway/mapping_template.h"
#include "gateway/routes.h"
#include "gateway/stage_cache.h"
#include "gateway/throttle.h"
#include "telemetry/metrics.h"

namespace re2 {
class RE2;
}

namespace securebase::gateway {

// The recorders of one set of dimensions (metrics.h).
struct Meters {
  Meters(telemetry::Registry& registry, const telemetry::Dimensions& dimensions);
  telemetry::Counter& count;
  telemetry::Counter& errors_4xx;
  telemetry::Counter& errors_5xx;
  telemetry::Counter& cache_hits;
  telemetry::Counter& cache_misses;
  telemetry::Distribution& latency;
  telemetry::Distribution& integration_latency;
};

// MethodSettings with nothing left open.
struct ResolvedSettings {
  bool caching = false;
  std::chrono::seconds cache_ttl{300};
  bool authorised_cache_control = true;
  MethodSettings::UnauthorizedCacheControl unauthorised = MethodSettings::UnauthorizedCacheControl::kSucceedWithHeader;
  std::int64_t burst = -1;
  double rate = -1;
  bool metrics = false;
  MethodSettings::Logging logging = MethodSettings::Logging::kOff;
};
// For `method` of the resource; only GET is cached by "*/*".
ResolvedSettings resolve_settings(const Stage& stage, const std::string& resource_path, const std::string& method);

struct CompiledMock {
  int status = 200;
  std::unique_ptr<re2::RE2> selection;  // null: the default
  const MockResponse* source = nullptr;
  std::map<std::string, MappingTemplate> templates;
};

struct MethodInForce {
  const Method* method = nullptr;
  ResolvedSettings settings;
  std::shared_ptr<Throttle> throttle;
  std::unique_ptr<Meters> meters;  // null: metrics_enabled is not set
  std::string function;            // stage variables put in
  std::string uri;
  // Part of every cache key: another integration, or another key declaration, finds nothing of its predecessor.
  std::string cache_version;
  std::string authorizer_function;
  std::unique_ptr<re2::RE2> token_expression;
  std::map<std::string, MappingTemplate> request_templates;
  std::vector<CompiledMock> mocks;

  MethodInForce();
  MethodInForce(MethodInForce&&) noexcept;
  ~MethodInForce();
};

struct ResourceInForce {
  const Resource* resource = nullptr;
  std::vector<std::string> parameter_names;
  std::vector<MethodInForce> methods;

  const MethodInForce* find(std::string_view method) const;  // by name, else ANY
};

struct StageInForce {
  const Api* api = nullptr;
  const Stage* stage = nullptr;
  std::string scope;           // "{api}/{stage}"
  std::string trace_name;      // "{name of the api}/{stage}", as X-Ray has it
  std::string execution_host;  // {api}.execute-api.{region}.amazonaws.com
  std::string execution_log;   // the log group of execution lines
  std::string log_stream;      // in that group and in the access log's
  Routes routes;
  std::vector<ResourceInForce> resources;
  std::unique_ptr<Meters> api_meters;
  std::unique_ptr<Meters> stage_meters;
  std::shared_ptr<std::atomic<std::uint64_t>> throttled;
  std::shared_ptr<StageCache> cache;  // null: none
  std::optional<LogFormat> log_format;
};

// Where a request goes. Its views point into the request, the configuration and itself: it does not move.
struct Place {
  const StageInForce* stage = nullptr;
  std::string_view resource_path;
  std::string_view client_path;
  std::string_view event_path;
  std::string_view domain_name;
  std::string normal_storage;
  std::string client_storage;

  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
};

struct InForce {
  std::shared_ptr<const Config> config;
  std::vector<std::unique_ptr<StageInForce>> stages;
  std::unordered_map<std::string, const Domain*> domains;
  base::TimePoint since;  // what the API shows as its dates

  const StageInForce* find_stage(std::string_view api, std::string_view stage) const;
  bool serves(std::string_view host) const;

  enum class Found { kYes, kBadPath, kNoApi };
  Found locate(const http::Request& request, Place& place) const;
};

// Host without its port, lower case. `storage` holds it when it differs.
std::string_view bare_host(std::string_view authority, std::string& storage);
// {api} of {api}.execute-api.{region}.amazonaws.com (or .localhost...); "" for other hosts.
std::string_view api_of_execution_host(std::string_view host);

// What of `before` stays: throttles whose limits are the same, caches of stages that are still there.
std::shared_ptr<const InForce> put_in_force(std::shared_ptr<const Config> config, const InForce* before,
                                            std::size_t cache_bytes, telemetry::Registry& registry,
                                            base::TimePoint now);

}  // namespace securebase::gateway
