// From an admitted request to its answer: throttles, stage cache, integration.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/compress.h"
#include "gateway/engine.h"
#include "gateway/event.h"
#include "store/encodings.h"

namespace securebase::gateway {
namespace {

constexpr std::string_view kInvalidate = "execute-api:InvalidateCache";
// Bodies beyond this are compressed on the pool: about a millisecond of a worker's time at most.
constexpr std::size_t kCompressedAtOnce = 64 << 10;

Integrated shared_copy(const http::PreparedResponse& prepared) {
  Integrated out;
  out.response.status = prepared.status;
  for (const auto& field : prepared.headers.fields()) {
    if (!http::equal_ignoring_case(field.name, "Content-Length")) out.response.headers.add(field.name, field.value);
  }
  out.response.body = prepared.body;
  return out;
}

}  // namespace

void Engine::describe(const Walk& walk, telemetry::Span& span) {
  span.route.assign(walk.call.resource->path);
  span.method = http::to_string(walk.call.request->method);
  span.tls = !walk.call.request->tls_version.empty();
}

OwnedRequest::OwnedRequest(const http::Request& original) {
  request.method = original.method;
  request.method_name = text.copy(original.method_name);
  request.scheme = text.copy(original.scheme);
  request.authority = text.copy(original.authority);
  request.target = text.copy(original.target);
  request.path = text.copy(original.path);
  request.query = text.copy(original.query);
  request.headers = original.headers;
  request.peer_address = text.copy(original.peer_address);
  request.peer_port = original.peer_port;
  request.tls_version = text.copy(original.tls_version);
  request.version_major = original.version_major;
  request.version_minor = original.version_minor;
  request.received = original.received;
  request.trace = original.trace;
}

std::optional<Integrated> Engine::throttle(const Walk& walk) {
  const auto now = doors.clock.steady();
  auto verdict = walk.method->throttle->take(now);
  std::string_view limit = "method";
  if (verdict.admitted) {
    verdict = account.take(now);
    limit = "account";
  }
  if (verdict.admitted) return std::nullopt;
  walk.place.stage->throttled->fetch_add(1, std::memory_order_relaxed);
  Integrated out;
  out.response = refuse_throttled(walk.call, verdict.retry_after, limit);
  out.error_type = response_type_of(Refusal::kThrottled);
  return out;
}

// Developer Guide, "Invalidate a method's cache": Cache-Control: max-age=0, from those who may.
Engine::CacheControl Engine::cache_control_of(const Walk& walk) const {
  const auto asked = store::parse_cache_control(walk.call.request->headers);
  if (!asked.max_age || asked.max_age->count() != 0) return CacheControl::kNone;
  const auto& settings = walk.method->settings;
  if (!settings.authorised_cache_control) return CacheControl::kInvalidate;
  if (walk.call.principal &&
      walk.call.principal->policy.evaluate(kInvalidate, method_arn(walk.call)) == Policy::Decision::kAllowed) {
    return CacheControl::kInvalidate;
  }
  return settings.unauthorised == MethodSettings::UnauthorizedCacheControl::kFailWith403 ? CacheControl::kRefused
                                                                                         : CacheControl::kIgnored;
}

Engine::Choice Engine::choose(const Call& call, const store::StoredResponse& stored) {
  Choice out;
  out.variant = stored.variants[0];
  const auto& smallest = call.api->minimum_compression_bytes;
  if (!smallest || !stored.compressible || out.variant->body.size() < *smallest ||
      !is_compressible(out.variant->headers.get("Content-Type").value_or(""))) {
    return out;
  }
  out.varies = true;
  const auto coding = choose_coding(call.request->headers.get("Accept-Encoding").value_or(""));
  if (coding == Coding::kGzip) out.variant = stored.variants[static_cast<std::size_t>(store::Encoding::kGzip)];
  if (coding == Coding::kDeflate) out.variant = nullptr;  // not kept: made for each
  return out;
}

Integrated Engine::answer_stored(const store::StoredResponse& stored, const Choice& choice, bool hit) const {
  auto out = shared_copy(*choice.variant);
  const auto now = doors.clock.steady();
  if (const auto age = stored.age(now); age.count() > 0 || hit) {
    out.response.headers.set("Age", std::to_string(age.count()));
  }
  if (choice.varies && !out.response.headers.has("Vary")) out.response.headers.add("Vary", "Accept-Encoding");
  const auto left = std::chrono::floor<std::chrono::seconds>(stored.fresh_until - now).count();
  out.response.headers.add("Cache-Status", hit ? fmt::format("api-gateway; hit; ttl={}", left)
                                               : std::string("api-gateway; fwd=miss; stored"));
  return out;
}

net::Task<Integrated> Engine::from_stored(Walk& walk, std::string key,
                                          std::shared_ptr<const store::StoredResponse> stored, bool hit) {
  auto choice = choose(walk.call, *stored);
  if (!choice.variant) {
    choice.variant = stored->variants[0];
    const auto coding = choose_coding(walk.call.request->headers.get("Accept-Encoding").value_or(""));
    if (coding == Coding::kGzip) {
      std::shared_ptr<const store::StoredResponse> encoded;
      if (choice.variant->body.size() <= kCompressedAtOnce) {
        encoded = store::with_encoding(*stored, store::Encoding::kGzip);
      } else {
        auto made = co_await doors.pool.run([stored] { return store::with_encoding(*stored, store::Encoding::kGzip); });
        if (made) encoded = *made;
      }
      if (encoded) walk.place.stage->cache->replace(key, *stored, encoded);
      constexpr auto kGzip = static_cast<std::size_t>(store::Encoding::kGzip);
      if (encoded && encoded->variants[kGzip]) choice.variant = encoded->variants[kGzip];
    }
  }
  co_return answer_stored(*stored, choice, hit);
}

net::Task<void> Engine::fetch(std::shared_ptr<OwnedRequest> request, std::shared_ptr<const InForce> in_force,
                              std::shared_ptr<const Principal> principal, std::uint32_t authorizer_milliseconds,
                              std::shared_ptr<store::Flight> flight, std::string key,
                              std::shared_ptr<Integrated> first) {
  Walk way;
  way.in_force = std::move(in_force);
  check(!walk(request->request, way), "what was routed once is routed again under the same configuration");
  way.call.principal = principal.get();
  way.call.authorizer_milliseconds = authorizer_milliseconds;
  way.call.request_id = new_request_id();
  way.call.extended_request_id = new_extended_request_id();
  const auto birth = doors.tags.now();
  *first = co_await integrate(way, false, {});
  auto& cache = *way.place.stage->cache;
  std::shared_ptr<const store::StoredResponse> stored;
  if (first->error_type.empty()) {
    stored = cache.make(way.call, first->response.status, first->response.headers, first->response.body.bytes(),
                        way.method->settings.cache_ttl, birth, doors.tags, doors.clock.now(), doors.clock.steady());
  }
  if (stored) cache.put(key, stored);
  store::Flight::Head head;
  head.status = first->response.status;
  head.shared = stored != nullptr;
  flight->begin(std::move(head));
  flight->finish(stored);
}

void Engine::count(const Walk& walk, telemetry::Counter& (*of)(Meters&)) {
  of(*walk.place.stage->api_meters).add();
  of(*walk.place.stage->stage_meters).add();
  if (walk.method->meters) of(*walk.method->meters).add();
}

bool Engine::is_cached(const Walk& walk) {
  return walk.place.stage->cache && walk.method->settings.caching && walk.method->settings.cache_ttl.count() > 0 &&
         !walk.call.request->body;
}

bool Engine::answer_now(const http::Request& request, http::Response& response) {
  Walk way;
  way.in_force = in_force();
  if (walk(request, way) || !is_cached(way) || !way.method->method->required.empty()) return false;
  Admission admission;
  Identity identity;
  if (decide(way, admission, identity) == Step::kAsk) return false;
  if (admission.verdict() != Admission::Verdict::kRefused) {
    if (cache_control_of(way) != CacheControl::kNone) return false;
    const auto stored =
        way.place.stage->cache->find(StageCache::key(way.call, *way.method), doors.tags, doors.clock.steady());
    const auto choice = stored ? choose(way.call, *stored) : Choice{};
    if (!choice.variant) return false;
    telemetry::SpanGuard span(doors.spans, doors.clock, request.trace, telemetry::Hop::kGateway,
                              way.place.stage->trace_name, way.call.client_path);
    describe(way, span.span());
    auto limited = throttle(way);
    auto answered = limited ? std::move(*limited) : answer_stored(*stored, choice, true);
    if (!limited) count(way, [](Meters& meters) -> telemetry::Counter& { return meters.cache_hits; });
    finish(way, answered);
    span.status(answered.response.status);
    response = std::move(answered.response);
  } else {
    response = admission.take_refusal();
  }
  if (identity.known) authorizer_hits.fetch_add(1, std::memory_order_relaxed);
  return true;
}

net::Task<Integrated> Engine::answer_cached(Walk& walk) {
  auto& cache = *walk.place.stage->cache;
  const auto control = cache_control_of(walk);
  if (control == CacheControl::kRefused) co_return refused(Refusal::kInvalidateCacheDenied, walk.call);
  const auto key = StageCache::key(walk.call, *walk.method);
  const bool warn = control == CacheControl::kIgnored &&
                    walk.method->settings.unauthorised == MethodSettings::UnauthorizedCacheControl::kSucceedWithHeader;
  const auto warned = [warn](Integrated out) {
    if (warn)
      out.response.headers.add("Warning",
                               "199 Cache-control headers were ignored because the caller was unauthorized.");
    return out;
  };

  if (control != CacheControl::kInvalidate) {
    if (auto stored = cache.find(key, doors.tags, doors.clock.steady())) {
      count(walk, [](Meters& meters) -> telemetry::Counter& { return meters.cache_hits; });
      auto hit = co_await from_stored(walk, key, std::move(stored), true);
      co_return warned(std::move(hit));
    }
  }
  count(walk, [](Meters& meters) -> telemetry::Counter& { return meters.cache_misses; });

  // Who invalidates must not be answered by a fetch that began before.
  auto joined = control == CacheControl::kInvalidate ? store::Flights::Joined{} : cache.flights().join(key);
  if (!joined.flight) {
    const auto birth = doors.tags.now();
    auto own = co_await integrate(walk, false, {});
    if (own.error_type.empty()) {
      auto stored =
          cache.make(walk.call, own.response.status, own.response.headers, own.response.body.bytes(),
                     walk.method->settings.cache_ttl, birth, doors.tags, doors.clock.now(), doors.clock.steady());
      if (stored) cache.put(key, std::move(stored));
    }
    co_return warned(std::move(own));
  }
  auto first = std::make_shared<Integrated>();
  if (joined.first) {
    net::Worker::current().tasks().spawn(fetch(std::make_shared<OwnedRequest>(*walk.call.request), walk.in_force,
                                               walk.principal_owner, walk.call.authorizer_milliseconds, joined.flight,
                                               key, first));
  }
  std::optional<telemetry::SpanGuard> wait;
  if (!joined.first) {
    wait.emplace(doors.spans, doors.clock, walk.call.request->trace, telemetry::Hop::kFlight,
                 walk.place.stage->trace_name);
  }
  auto seen = co_await joined.flight->end(joined.first);
  wait.reset();
  if (!seen) co_return refused(Refusal::kInternal, walk.call);
  // Who comes after an invalidation is not answered by a fetch that began before it.
  const bool outdated =
      !joined.first && seen->stored && doors.tags.judge(seen->stored->labels) == store::Verdict::kGone;
  if (seen->outcome == store::Flight::Outcome::kStored && seen->stored && !outdated) {
    auto fresh = co_await from_stored(walk, key, seen->stored, false);
    if (joined.first) {
      fresh.status = first->status;
      fresh.latency = first->latency;
    }
    co_return warned(std::move(fresh));
  }
  if (joined.first) co_return warned(std::move(*first));
  // The answer was for its first asker alone, or is older than a request may get: the others ask for themselves, a
  // bounded number at a time.
  auto turn = co_await cache.flights().turn(key);
  auto own = co_await integrate(walk, false, {});
  co_return warned(std::move(own));
}

net::Task<Integrated> Engine::compressed(const Walk& walk, Integrated answered) {
  const auto& smallest = walk.call.api->minimum_compression_bytes;
  auto& response = answered.response;
  if (!smallest || response.body.is_stream() || response.headers.has("Content-Encoding")) co_return answered;
  const auto bytes = response.body.bytes();
  if (bytes.size() < *smallest || !is_compressible(response.headers.get("Content-Type").value_or(""))) {
    co_return answered;
  }
  if (!response.headers.has("Vary")) response.headers.add("Vary", "Accept-Encoding");
  const auto coding = choose_coding(walk.call.request->headers.get("Accept-Encoding").value_or(""));
  if (coding == Coding::kIdentity || bytes.empty()) co_return answered;
  std::string smaller;
  if (bytes.size() <= kCompressedAtOnce) {
    smaller = compress(bytes, coding);
  } else {
    auto made = co_await doors.pool.run([bytes, coding] { return compress(bytes, coding); });
    if (!made) co_return answered;  // the pool is full: the plain bytes are an answer, too
    smaller = std::move(*made);
  }
  response.headers.add("Content-Encoding", to_string(coding));
  // The bytes are other ones: a strong validator of the plain ones does not hold for them (RFC 9110 §8.8.3).
  if (const auto etag = response.headers.get("ETag"); etag && !etag->starts_with("W/")) {
    response.headers.set("ETag", "W/" + std::string(*etag));
  }
  response.body = std::move(smaller);
  co_return answered;
}

net::Task<http::Response> Engine::answer(http::Request& request, Admission admission) {
  if (admission.verdict() == Admission::Verdict::kRefused) co_return admission.take_refusal();
  Walk way;
  way.in_force = admission.in_force_;
  if (const auto refusal = walk(request, way)) {
    auto answered = refused(*refusal, way.call);
    finish(way, answered);
    co_return std::move(answered.response);
  }
  way.principal_owner = admission.principal_;
  way.call.principal = admission.principal_.get();
  way.call.authorizer_milliseconds = admission.authorizer_milliseconds_;
  way.call.request_id = new_request_id();
  way.call.extended_request_id = new_extended_request_id();
  telemetry::SpanGuard span(doors.spans, doors.clock, request.trace, telemetry::Hop::kGateway,
                            way.place.stage->trace_name, way.call.client_path);
  describe(way, span.span());
  request.trace = span.trace();

  Integrated answered;
  const bool public_without_admission = way.method->method->authorizer && !way.call.principal;
  check(!public_without_admission, "an authorised method is answered for a principal");
  std::optional<Integrated> limited;
  if (!admission.counted_) limited = throttle(way);
  std::string missing;
  for (const auto& parameter : way.call.method->required) {
    if (!value_of(way.call, parameter)) missing += (missing.empty() ? "" : ", ") + parameter.name;
  }
  if (limited) {
    answered = std::move(*limited);
  } else if (!missing.empty()) {
    answered = refused(Refusal::kMissingParameters, way.call, missing);
  } else if (is_cached(way)) {
    answered = co_await answer_cached(way);
  } else {
    auto body = co_await read_body(request);
    if (!body) {
      answered = refused(body.error(), way.call);
    } else {
      answered = co_await integrate(way, request.body != nullptr, std::move(*body));
    }
  }
  answered = co_await compressed(way, std::move(answered));
  finish(way, answered);
  span.status(answered.response.status);
  co_return std::move(answered.response);
}

}  // namespace securebase::gateway
