// The way to the origin: flights that many viewers share, and refreshes behind stale responses.
#include "edge/fetch.h"

#include <fmt/format.h>

#include "base/log.h"
#include "net/http/syntax.h"
#include "net/worker.h"

namespace securebase::edge {

using store::seconds;

namespace {

// A response as one list of fields and one body, however it came.
void flatten(http::Response& response) {
  if (!response.prepared) return;
  const auto prepared = std::move(response.prepared);
  http::Headers headers = prepared->headers;
  for (const auto& field : response.headers.fields()) headers.set(field.name, field.value);
  response.status = prepared->status;
  response.headers = std::move(headers);
  response.body = prepared->body;
}

// May what is stored go on being served when the origin fails? RFC 5861 §4; and an error that a refresh brings does not
// take the place of what may be served without one (§3).
bool outlives_failure(const store::StoredResponse& stored, base::SteadyPoint now) {
  const auto grace = std::max(stored.stale_if_error, stored.stale_while_revalidate);
  return !stored.must_revalidate && now < stored.fresh_until + grace;
}

telemetry::Hop hop_of(OriginConfig::Kind kind) {
  switch (kind) {
    case OriginConfig::Kind::kBucket:
      return telemetry::Hop::kOriginBucket;
    case OriginConfig::Kind::kGateway:
      return telemetry::Hop::kOriginApi;
    case OriginConfig::Kind::kHttp:
      break;
  }
  return telemetry::Hop::kOriginHttp;
}

net::Task<Result<http::Response>> ask_origin(Origin& origin, OriginRequest& request, Caller& caller) {
  auto response = co_await origin.fetch(request, caller);
  co_return response;
}

}  // namespace

bool is_compressible(const Behaviour& behaviour, int status, const http::Headers& headers,
                     std::optional<std::uint64_t> length) {
  return (behaviour.gzip || behaviour.brotli) && (status == 200 || status == 403 || status == 404) &&
         !store::parse_cache_control(headers).no_transform && !headers.has("Content-Encoding") &&
         store::is_compressible_type(headers.get("Content-Type").value_or("")) &&
         (!length || (*length >= store::kLeastCompressed && *length <= store::kMostCompressed));
}

void Engine::raise_by_header(http::Headers& headers) const {
  std::vector<std::string> tags;
  for (const auto& field : headers.fields()) {
    if (!http::equal_ignoring_case(field.name, "Cache-Invalidate")) continue;
    http::for_each_element(field.value, [&tags](std::string_view element) {
      if (element.starts_with('#')) element.remove_prefix(1);
      if (!element.empty()) tags.emplace_back(element);
    });
  }
  if (tags.empty()) return;
  headers.remove("Cache-Invalidate");
  // Hard: who wrote reads what they wrote.
  for (const auto& tag : tags) doors.tags.raise(tag, store::Strength::kHard);
  if (doors.invalidated) doors.invalidated(tags);
}

void Engine::finalise(const DistributionConfig& distribution, const Behaviour& behaviour,
                      http::Response& response) const {
  auto& headers = response.headers;
  headers.remove("X-Cache");
  headers.remove("Cache-Status");
  headers.add("Via", distribution.via);
  if (!behaviour.fields) return;
  for (const auto& name : behaviour.fields->removed) headers.remove(name);
  for (const auto& line : behaviour.fields->lines) {
    if (line.override_origin || !headers.has(line.name)) headers.set(line.name, line.value);
  }
}

// A custom error response: the page in place of the origin's body, under the status that is asked for.
net::Task<void> Engine::replace_error(const Live&, const Distribution& distribution, http::Response& response,
                                      OriginRequest& request) {
  const auto found = distribution.config.errors.find(response.status);
  if (found == distribution.config.errors.end() || found->second.page_path.empty()) co_return;
  const auto& behaviour = distribution.config.behaviour_for(found->second.page_path);
  Origin& origin = *distribution.origins[behaviour.origin];
  if (origin.has_gate()) co_return;
  const auto& config = distribution.config.origins[behaviour.origin];
  auto page = std::make_shared<OriginRequest>();
  page->authority = config.domain_name;
  page->path = config.path + found->second.page_path;
  page->peer_address = request.peer_address;
  page->trace = request.trace;
  Caller nobody;
  auto fetched = co_await origin.fetch(*page, nobody);
  if (!fetched || fetched->status != 200) co_return;
  flatten(*fetched);
  http::Response replaced = std::move(*fetched);
  replaced.status = static_cast<int>(*found->second.response_code);
  // The page's own lifetime is not the error's.
  replaced.headers.remove("Cache-Control");
  replaced.headers.remove("Expires");
  replaced.headers.remove("ETag");
  replaced.headers.remove("Last-Modified");
  for (const auto& field : response.headers.fields()) {
    if (http::equal_ignoring_case(field.name, "Cache-Control")) replaced.headers.add(field.name, field.value);
  }
  if (replaced.body.is_stream()) {
    auto length = replaced.body.length();
    replaced.body = http::Body(std::make_unique<Passing>(replaced.body.take_stream(), page), length);
  }
  response = std::move(replaced);
}

net::Task<Result<http::Response>> Engine::ask(Fetch& fetch) {
  const auto& origin = fetch.distribution->config.origins[fetch.behaviour->origin];
  telemetry::SpanGuard span(doors.spans, doors.clock, fetch.request.trace, hop_of(origin.kind), origin.domain_name,
                            fetch.request.path);
  span.span().method = http::to_string(fetch.request.method);
  fetch.request.trace = span.trace();
  if (fetch.request.trace.known()) {
    fetch.request.headers.set("X-Amzn-Trace-Id", telemetry::to_xray_header(span.trace()));
    if (origin.kind == OriginConfig::Kind::kHttp) {
      fetch.request.headers.set("traceparent", telemetry::to_traceparent(span.trace()));
    }
  }
  const auto begin = doors.clock.steady();
  auto response = co_await ask_origin(*fetch.origin, fetch.request, fetch.caller);
  const std::chrono::duration<double, std::milli> took = doors.clock.steady() - begin;
  fetch.distribution->recorders.origin_latency.record(took.count());
  if (!response) {
    span.fail();
    co_return response.error();
  }
  flatten(*response);
  span.status(response->status);
  response->headers.remove("X-Amzn-Trace-Id");  // of this request; who is answered from the store has another
  raise_by_header(response->headers);
  co_return response;
}

std::shared_ptr<Fetch> Engine::make_fetch(const http::Request& request, Visit& visit,
                                          std::shared_ptr<const store::StoredResponse> stale, bool revalidate) const {
  auto fetch = std::make_shared<Fetch>();
  const auto& behaviour = *visit.behaviour;
  fetch->live = visit.live;
  fetch->distribution = visit.distribution;
  fetch->behaviour = visit.behaviour;
  fetch->origin = visit.origin;
  fetch->key = visit.key;
  fetch->path = visit.path;
  append_query(request.query, behaviour.key_queries, Selection{}, fetch->keyed_query);
  fetch->principal = visit.caller.principal;
  fetch->request = make_origin_request(behaviour, visit.distribution->config.origins[behaviour.origin],
                                       visit.distribution->config.via, visit.path, request);
  if (visit.cacheable) fetch->viewer = request.headers;
  fetch->caller = std::move(visit.caller);
  fetch->credentials = visit.credentials;
  fetch->stale = std::move(stale);
  if (visit.cacheable) {
    if (const auto accepts = request.headers.get("Accept-Encoding")) fetch->wanted = store::preferred(*accepts);
    if (fetch->wanted == store::Encoding::kBrotli && !behaviour.brotli) fetch->wanted = store::Encoding::kIdentity;
    if (fetch->wanted == store::Encoding::kGzip && !behaviour.gzip) fetch->wanted = store::Encoding::kIdentity;
  }
  if (revalidate && fetch->stale && fetch->stale->status == 200) {
    auto& headers = fetch->request.headers;
    if (!fetch->stale->etag.empty()) headers.set("If-None-Match", fetch->stale->etag);
    if (!fetch->stale->last_modified.empty()) headers.set("If-Modified-Since", fetch->stale->last_modified);
    fetch->revalidates = true;
  }
  return fetch;
}

// ---- Flights

net::Task<void> Engine::fly(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch) {
  auto done = co_await fly_inside(flight, fetch);
  // Whatever way it went: nobody waits for a flight that is over.
  if (!done) flight->fail(done.error());
  flight->fail(Error{Errc::kCancelled, "the fetch ended early"});
}

net::Task<Result<Done>> Engine::fly_inside(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch) {
  const auto& config = fetch->distribution->config;
  const auto& behaviour = *fetch->behaviour;
  const auto birth = doors.tags.now();
  const auto begin = doors.clock.steady();
  auto asked = co_await net::with_timeout(settings.flight_time, ask(*fetch));
  const auto now = doors.clock.steady();
  const bool failed = !asked || asked->status >= 500;
  if (failed && fetch->stale && outlives_failure(*fetch->stale, now)) {
    flight->finish(fetch->stale);
    co_return Done{};
  }
  if (!asked) {
    http::Response own = own_answer(status_of(asked.error()), "The origin did not answer.");
    own.headers.remove("Cache-Control");  // kept as any 502 or 504 is: an origin that is down is not asked by everybody
    base::log(base::Level::kWarning, "edge", "{}: {}", fetch->request.path, asked.error().message);
    asked = std::move(own);
  }
  http::Response response = *std::move(asked);
  auto& headers = response.headers;
  const auto wall = doors.clock.now();
  const auto age = store::age_on_arrival(headers, wall, now - begin);

  std::vector<std::string_view> tag_lists;
  for (const auto& field : headers.fields()) {
    if (http::equal_ignoring_case(field.name, config.tag_header)) tag_lists.push_back(field.value);
  }
  auto labels = doors.tags.labels(birth, config.id, fetch->path, fetch->keyed_query, tag_lists);
  const auto audience = fetch->principal.empty() ? store::Audience::kEverybody : store::Audience::kPrincipal;
  const bool everybodys_secret = fetch->credentials && fetch->origin->has_gate();

  if (response.status == 304 && fetch->revalidates) {
    // The fields of the 304 update those that are stored; what they say about lifetimes holds anew.
    http::Headers merged = fetch->stale->identity().headers;
    for (const auto& field : headers.fields()) merged.set(field.name, field.value);
    const auto freshness = store::judge({fetch->stale->status, merged, everybodys_secret, audience, age}, behaviour.ttl,
                                        config.error_minimum(200), wall);
    headers.remove("Age");
    auto renewed = store::refreshed(*fetch->stale, headers, freshness, now, age, std::move(labels));
    const auto key = renewed->vary.empty() ? fetch->key : store::vary_key(fetch->key, renewed->vary, fetch->viewer);
    if (freshness.storable) {
      store.put(key, renewed);
    } else {
      store.remove(key);
    }
    // What may no longer be stored is for its asker alone.
    flight->begin({304, {}, 0, freshness.storable, renewed->labels});
    flight->finish(std::move(renewed));
    co_return Done{};
  }

  const int origin_status = response.status;
  if (origin_status >= 400) co_await replace_error(*fetch->live, *fetch->distribution, response, fetch->request);
  auto freshness = store::judge({origin_status, headers, everybodys_secret, audience, age}, behaviour.ttl,
                                config.error_minimum(origin_status), wall);
  headers.remove("Age");
  finalise(config, behaviour, response);

  // Vary by what the origin sees and the key does not have yet.
  auto vary = store::vary_names(headers);
  std::erase_if(vary, [&](const std::string& name) {
    return behaviour.key_headers.takes_field(name) || !behaviour.more_headers.takes_field(name);
  });
  const bool shared = freshness.storable && freshness.remaining > seconds{0};
  const auto length = response.body.length();
  const bool compressible = is_compressible(behaviour, response.status, headers, length);
  if (compressible && headers.joined("Vary").find("Accept-Encoding") == std::string::npos) {
    headers.add("Vary", "Accept-Encoding");
  }
  if (response.body.is_stream() && headers.has("Content-Length")) headers.remove("Content-Length");

  store::Flight::Head head{response.status, headers, length, shared, labels};
  // Different Vary values must not meet in one flight.
  if (!vary.empty() && store::vary_key(fetch->key, vary, fetch->viewer) != fetch->flight_key) head.shared = false;
  flight->begin(std::move(head));
  if (!shared && !failed && !fetch->stale) {
    auto marker = std::make_shared<store::StoredResponse>();
    marker->kind = store::StoredResponse::Kind::kUncacheable;
    marker->fresh_until = now + settings.uncacheable_time;
    if (!freshness.storable) store.put(fetch->key, std::move(marker));
  }

  if (auto stream = response.body.take_stream()) {
    for (;;) {
      auto piece = co_await net::with_timeout(settings.stall_time, stream->next());
      if (!piece) co_return piece.error();
      if (piece->empty()) break;
      auto appended = co_await net::with_timeout(settings.stall_time, flight->append(std::string(*piece)));
      if (!appended) co_return appended.error();
    }
  } else if (!response.body.bytes().empty()) {
    auto appended = co_await net::with_timeout(settings.stall_time, flight->append(std::string(response.body.bytes())));
    if (!appended) co_return appended.error();
  }
  auto body = freshness.storable ? flight->whole_body() : std::nullopt;
  if (!body || (length && body->size() != *length)) {
    flight->finish(nullptr);
    co_return Done{};
  }

  auto stored = std::make_shared<store::StoredResponse>();
  stored->status = response.status;
  stored->etag = headers.get("ETag").value_or("");
  stored->last_modified = headers.get("Last-Modified").value_or("");
  stored->born = now - age;
  stored->fresh_until = now + freshness.remaining;
  stored->stale_while_revalidate = freshness.stale_while_revalidate;
  stored->stale_if_error = freshness.stale_if_error;
  stored->must_revalidate = freshness.must_revalidate;
  stored->vary = vary;
  stored->principal = fetch->principal;
  stored->labels = std::move(labels);
  stored->compressible = compressible && body->size() >= store::kLeastCompressed;
  stored->variants[0] = http::prepare(response.status, headers, *std::move(body));
  std::shared_ptr<const store::StoredResponse> kept = stored;
  if (kept->compressible && fetch->wanted != store::Encoding::kIdentity) {
    std::shared_ptr<const store::StoredResponse> more;
    if (kept->identity().body.size() <= store::kCompressedAtOnce) {
      more = store::with_encoding(*kept, fetch->wanted);
    } else {
      const auto wanted = fetch->wanted;
      const auto* from = kept.get();
      auto made = co_await doors.pool.run([from, wanted] { return store::with_encoding(*from, wanted); });
      if (made) more = *made;
    }
    if (more) kept = more;
  }
  if (doors.tags.judge(kept->labels) == store::Verdict::kGone) {
    // Invalidated while it was fetched: a younger one may lie there already.
  } else if (vary.empty()) {
    store.put(fetch->key, kept);
  } else {
    auto marker = std::make_shared<store::StoredResponse>();
    marker->kind = store::StoredResponse::Kind::kVary;
    marker->vary = vary;
    store.put(fetch->key, std::move(marker));
    store.put(store::vary_key(fetch->key, vary, fetch->viewer), kept);
  }
  flight->finish(shared ? kept : nullptr);
  co_return Done{};
}

void Engine::refresh(const http::Request& request, Visit& visit, const Found& found) {
  if (refreshing.load(std::memory_order_relaxed) >= settings.background_fetches) return;
  const auto& key = found.key.empty() ? visit.key : found.key;
  auto flight = flights.lead(key);
  if (!flight) return;  // one flies already
  auto fetch = make_fetch(request, visit, found.stored, true);
  fetch->flight_key = key;
  fetch->request.method = http::Method::kGet;
  fetch->request.method_name = "GET";
  refreshing.fetch_add(1, std::memory_order_relaxed);
  net::Worker::current().tasks().spawn(fly_behind(std::move(flight), std::move(fetch)));
}

net::Task<void> Engine::fly_behind(std::shared_ptr<store::Flight> flight, std::shared_ptr<Fetch> fetch) {
  co_await fly(std::move(flight), std::move(fetch));
  refreshing.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace securebase::edge
