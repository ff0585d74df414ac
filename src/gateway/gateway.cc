#include "gateway/gateway.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/engine.h"
#include "net/http/syntax.h"
#include "net/worker.h"

namespace securebase::gateway {
namespace {

template <class Each>
void for_each_part(std::string_view list, Each each) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto part = http::trim_blanks(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!part.empty()) each(part);
  }
}

// Resources that have the request's method, or ANY.
struct HasMethod final : Routes::Accepts {
  HasMethod(const std::vector<ResourceInForce>& all, std::string_view name) : resources(all), method(name) {}
  bool accepts(std::size_t resource) const override { return resources[resource].find(method) != nullptr; }

  const std::vector<ResourceInForce>& resources;
  const std::string_view method;
};

void record(Meters& meters, int status, double latency_ms,
            const std::optional<std::chrono::microseconds>& integration) {
  meters.count.add();
  if (status >= 500) {
    meters.errors_5xx.add();
  } else if (status >= 400) {
    meters.errors_4xx.add();
  }
  meters.latency.record(latency_ms);
  if (integration) meters.integration_latency.record(static_cast<double>(integration->count()) / 1000);
}

}  // namespace

Integrated refused(Refusal refusal, const Call& call, std::string_view detail) {
  Integrated out;
  out.response = refuse(refusal, &call, detail);
  out.error_type = response_type_of(refusal);
  return out;
}

Admission::Admission() = default;
Admission::~Admission() = default;
Admission::Admission(Admission&&) noexcept = default;
Admission& Admission::operator=(Admission&&) noexcept = default;

std::string_view Admission::principal() const {
  return principal_ ? std::string_view(principal_->key) : std::string_view();
}

http::Response Admission::take_refusal() {
  if (!refusal_) return refuse(Refusal::kUnknownApi, nullptr);
  const auto taken = std::move(refusal_);
  return std::move(*taken);
}

Engine::Engine(Settings given, Doors others)
    : settings(std::move(given)),
      doors(others),
      metrics(others.metrics ? *others.metrics : own_metrics),
      current(put_in_force(std::make_shared<const Config>(), nullptr, settings.stage_cache_bytes, metrics,
                           doors.clock.now())),
      verdicts(settings.authorizer_verdicts),
      views(kWorkers, base::Snapshot<InForce>::View(current)) {}

std::shared_ptr<const InForce> Engine::in_force() {
  const auto* worker = net::Worker::current_or_null();
  if (!worker || worker->index() >= kWorkers) return current.get();
  return views[worker->index()].shared();
}

void Engine::apply(std::shared_ptr<const Config> config) {
  const std::lock_guard one(applying);
  const auto before = current.get();
  current.set(put_in_force(std::move(config), before.get(), settings.stage_cache_bytes, metrics, doors.clock.now()));
}

std::optional<Refusal> Engine::walk(const http::Request& request, Walk& out) const {
  out.began = request.received == base::SteadyPoint{} ? doors.clock.steady() : request.received;
  Call& call = out.call;
  call.request = &request;
  call.time = doors.clock.now();
  switch (out.in_force->locate(request, out.place)) {
    case InForce::Found::kYes:
      break;
    case InForce::Found::kBadPath:
      return Refusal::kBadRequest;
    case InForce::Found::kNoApi:
      return Refusal::kUnknownApi;
  }
  const auto& stage = *out.place.stage;
  call.api = stage.api;
  call.stage = stage.stage;
  call.resource_path = out.place.resource_path;
  call.client_path = out.place.client_path;
  call.event_path = out.place.event_path;
  call.domain_name = out.place.domain_name;
  const auto found = stage.routes.find(call.resource_path, HasMethod(stage.resources, request.method_name));
  if (!found) return Refusal::kMissingAuthenticationToken;
  const auto& resource = stage.resources[found->resource];
  out.method = resource.find(request.method_name);
  call.found = *found;
  call.resource = resource.resource;
  call.parameter_names = &resource.parameter_names;
  call.method = out.method->method;
  if (!request.query.empty()) call.query = read_query(request.query);
  return std::nullopt;
}

void Engine::finish(Walk& walk, Integrated& answered) {
  Call& call = walk.call;
  auto& response = answered.response;
  if (call.request_id.empty()) call.request_id = new_request_id();
  if (call.extended_request_id.empty()) call.extended_request_id = new_extended_request_id();
  response.headers.set("x-amzn-RequestId", call.request_id);
  response.headers.set("x-amz-apigw-id", call.extended_request_id);
  if (const auto trace = call.trace_header(); !trace.empty()) response.headers.set("X-Amzn-Trace-Id", trace);
  if (const auto tags = response.headers.get("Cache-Invalidate")) raise(*tags);
  if (!walk.place.stage) return;

  const auto latency = std::chrono::round<std::chrono::microseconds>(doors.clock.steady() - walk.began);
  const double milliseconds = static_cast<double>(latency.count()) / 1000;
  const auto& stage = *walk.place.stage;
  record(*stage.api_meters, response.status, milliseconds, answered.latency);
  record(*stage.stage_meters, response.status, milliseconds, answered.latency);
  if (walk.method && walk.method->meters) record(*walk.method->meters, response.status, milliseconds, answered.latency);

  Answered said;
  said.status = response.status;
  said.length = response.body.length();
  said.latency = latency;
  said.integration_status = answered.status;
  said.integration_latency = answered.latency;
  said.error_type = answered.error_type;
  said.error_message = answered.error_type;
  if (doors.logs) write_log(walk, said);
}

// The access line in the stage's own format, and the execution line. What queries ask for is told beside them, whatever
// the format has.
void Engine::write_log(const Walk& walk, const Answered& said) const {
  const Call& call = walk.call;
  const auto& stage = *walk.place.stage;
  using Logging = MethodSettings::Logging;
  const auto logging = walk.method ? walk.method->settings.logging : Logging::kOff;
  const bool executes = logging == Logging::kInfo || (logging == Logging::kError && said.status >= 400);
  if (!stage.log_format && !executes) return;
  const telemetry::LogField fields[] = {
      {.name = "@requestId", .text = call.request_id},
      {.name = "@duration", .number = static_cast<double>(said.latency.count()) / 1000, .is_text = false},
      {.name = "status", .number = static_cast<double>(said.status), .is_text = false},
      {.name = "path", .text = call.client_path},
      {.name = "@type", .text = "REPORT"}};
  telemetry::LogLine line;
  line.stream = stage.log_stream;
  line.time = doors.clock.now();
  if (stage.log_format) {
    const auto message = stage.log_format->line(call, said);
    line.group = stage.stage->access_log_group;
    line.message = message;
    line.fields = fields;
    doors.logs->write(line);
  }
  if (!executes) return;
  const auto message =
      fmt::format("({}) Method completed with status: {}{}{}, latency {} us", call.request_id, said.status,
                  said.error_type.empty() ? "" : ", ", said.error_type, said.latency.count());
  line.group = stage.execution_log;
  line.message = message;
  line.fields = std::span(fields).first(4);
  doors.logs->write(line);
}

std::size_t Engine::drop_verdicts(std::string_view tag) {
  const auto colon = tag.find(':');
  const auto kind = tag.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "api_keys" && kind != "principal")) return 0;
  return verdicts.drop_principal(tag.substr(colon + 1));
}

void Engine::raise(std::string_view header) {
  for_each_part(header, [this](std::string_view tag) {
    if (tag.starts_with('#')) tag.remove_prefix(1);
    if (tag.empty()) return;
    doors.tags.raise(tag, Strength::kHard);
    drop_verdicts(tag);
  });
}

Gateway::Gateway(Settings settings, Doors doors) : engine_(std::make_unique<Engine>(std::move(settings), doors)) {}
Gateway::~Gateway() = default;

void Gateway::apply(std::shared_ptr<const Config> config) { engine_->apply(std::move(config)); }

bool Gateway::serves(std::string_view host) const { return engine_->current.get()->serves(host); }

bool Gateway::admit_now(const http::Request& request, Admission& admission) {
  admission = Admission();  // of a request before, nothing may remain
  Walk way;
  way.in_force = engine_->in_force();
  admission.in_force_ = way.in_force;
  if (const auto refusal = engine_->walk(request, way)) {
    engine_->refuse_admission(way, admission, *refusal);
    return true;
  }
  Engine::Identity identity;
  const auto step = engine_->decide(way, admission, identity);
  if (identity.known) engine_->authorizer_hits.fetch_add(1, std::memory_order_relaxed);
  return step == Engine::Step::kDecided;
}

net::Task<Admission> Gateway::admit(const http::Request& request) { return engine_->admit(request); }

net::Task<http::Response> Gateway::answer(http::Request& request, Admission admission) {
  return engine_->answer(request, std::move(admission));
}

bool Gateway::answer_now(const http::Request& request, http::Response& response) {
  return engine_->answer_now(request, response);
}

net::Task<http::Response> Gateway::answer(http::Request& request) {
  const auto& doors = engine_->doors;
  // Of a call that is refused at the door; one that is admitted has its own.
  telemetry::SpanGuard span(doors.spans, doors.clock, request.trace, telemetry::Hop::kGateway, {}, request.path);
  if (doors.spans) {
    Walk way;
    way.in_force = engine_->in_force();
    if (!engine_->walk(request, way)) {
      span.span().name.assign(way.place.stage->trace_name);
      Engine::describe(way, span.span());
    }
    doors.spans->decide(request.trace, {.service = span.span().name.view(),
                                        .type = "AWS::ApiGateway::Stage",
                                        .host = request.authority,
                                        .method = request.method_name,
                                        .path = request.path});
  }
  Admission admission;
  if (!admit_now(request, admission)) admission = co_await admit(request);
  if (admission.verdict() != Admission::Verdict::kRefused || span.span().name.view().empty()) span.drop();
  auto response = co_await engine_->answer(request, std::move(admission));
  response.headers.remove("Cache-Invalidate");
  span.status(response.status);
  co_return response;
}

bool Gateway::recognises(const http::Request& request) const {
  // /restapis/{api}/{stage}/_user_request_/...; what else begins so is API Gateway's own API.
  constexpr std::string_view kBegin = "/restapis/", kMark = "/_user_request_";
  const auto path = request.path;
  const auto stage = path.starts_with(kBegin) ? path.find('/', kBegin.size()) : std::string_view::npos;
  const auto mark = stage == std::string_view::npos ? stage : path.find('/', stage + 1);
  if (mark != std::string_view::npos && path.substr(mark).starts_with(kMark)) {
    const auto rest = path.substr(mark + kMark.size());
    if (rest.empty() || rest.front() == '/') return true;
  }
  return serves(request.authority);
}

std::size_t Gateway::invalidate_tags(const std::vector<std::string>& tags) {
  std::size_t dropped = 0;
  for (const auto& tag : tags) dropped += engine_->drop_verdicts(tag.starts_with('#') ? tag.substr(1) : tag);
  return dropped;
}

std::size_t Gateway::invalidate_paths(const std::vector<std::string>& patterns, Strength strength) {
  const auto in_force = engine_->current.get();
  std::size_t gone = 0;
  for (const auto& stage : in_force->stages) {
    if (!stage->cache) continue;
    for (const auto& pattern : patterns) {
      engine_->doors.tags.raise_path(stage->scope, pattern, strength);
      // As clients of a domain see it: "/api/v1/tiers" is "/v1/tiers" here.
      for (const auto& domain : in_force->config->domains) {
        for (const auto& mapping : domain.mappings) {
          const auto prefix = "/" + mapping.base_path;
          if (mapping.base_path.empty() || mapping.api_id != stage->api->id || !pattern.starts_with(prefix + "/"))
            continue;
          engine_->doors.tags.raise_path(stage->scope, pattern.substr(prefix.size()), strength);
        }
      }
    }
    gone += stage->cache->sweep(engine_->doors.tags);
  }
  return gone;
}

Result<std::size_t> Gateway::flush_stage_cache(std::string_view api_id, std::string_view name) {
  const auto in_force = engine_->current.get();
  const auto* stage = in_force->find_stage(api_id, name);
  if (!stage) return Error{Errc::kNotFound, fmt::format("there is no stage {} of an API {}", name, api_id)};
  // Fetches under way began before it: what they bring is older than this generation.
  engine_->doors.tags.raise_path(stage->scope, "*", Strength::kHard);
  return stage->cache ? stage->cache->flush() : std::size_t{0};
}

Result<std::size_t> Gateway::flush_authorizers_cache(std::string_view api_id, std::string_view name) {
  const auto in_force = engine_->current.get();
  const auto* stage = in_force->find_stage(api_id, name);
  if (!stage) return Error{Errc::kNotFound, fmt::format("there is no stage {} of an API {}", name, api_id)};
  return engine_->verdicts.drop_scope(stage->scope);
}

Statistics Gateway::statistics() const {
  Statistics out;
  const auto in_force = engine_->current.get();
  for (const auto& stage : in_force->stages) {
    const auto& meters = *stage->stage_meters;
    out.stages.push_back({stage->api->id, stage->api->name, stage->stage->name, meters.count.total(),
                          meters.errors_4xx.total(), meters.errors_5xx.total(), stage->throttled->load(),
                          meters.cache_hits.total(), meters.cache_misses.total()});
    if (!stage->cache) continue;
    const auto held = stage->cache->statistics();
    out.cached_responses += held.entries;
    out.cached_bytes += held.bytes;
  }
  out.authorizer_hits = engine_->authorizer_hits.load();
  out.authorizer_misses = engine_->authorizer_misses.load();
  out.authorizer_verdicts = engine_->verdicts.size();
  return out;
}

void Gateway::close_on_worker() { engine_->clients[net::Worker::current().index() % Engine::kWorkers].reset(); }

}  // namespace securebase::gateway
