// A viewer's side of a fetch: to follow one that many share, or to have one of their own.
#include <fmt/format.h>

#include <limits>

#include "base/log.h"
#include "edge/fetch.h"
#include "edge/range.h"
#include "net/worker.h"

namespace securebase::edge {

namespace {

// Larger ones are streamed as they come.
constexpr std::uint64_t kWaitedBytes = 64 << 10;

// Conditions, ranges and encodings are answered from the whole, and small ones are as quick whole.
bool waits_for_whole(const http::Request& request, const Behaviour& behaviour, const store::Flight::Head& head) {
  if (head.length && *head.length <= kWaitedBytes) return true;
  if (request.headers.has("Accept-Encoding") && is_compressible(behaviour, head.status, head.headers, head.length)) {
    return true;
  }
  return request.headers.has("If-None-Match") || request.headers.has("If-Modified-Since") ||
         request.headers.has("Range");
}

// What of a response that is not kept whole goes to this viewer.
struct Part {
  int status = 200;
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> length;
  std::string content_range;
};

Part part_of(const http::Request& request, const store::Flight::Head& head) {
  Part part;
  part.status = head.status;
  part.length = head.length;
  if (head.status != 200) return part;
  const auto etag = head.headers.get("ETag").value_or("");
  const auto modified = head.headers.get("Last-Modified").value_or("");
  if (store::not_modified(request.headers, etag, modified)) {
    part.status = 304;
    return part;
  }
  const auto range = request.headers.get("Range");
  if (!range || !head.length || !range_holds(request.headers, etag, modified)) return part;
  const auto ranges = parse_range(*range, *head.length);
  if (!ranges || ranges->size() > 1) return part;  // several of a stream: the whole, as RFC 9110 §14.2 allows
  if (ranges->empty()) {
    part.status = 416;
    part.content_range = fmt::format("bytes */{}", *head.length);
    return part;
  }
  part.status = 206;
  part.skip = ranges->front().first;
  part.length = ranges->front().length();
  part.content_range = fmt::format("bytes {}-{}/{}", ranges->front().first, ranges->front().last, *head.length);
  return part;
}

// What a viewer may take to send the body, beside the origin's time. Without progress it ends earlier (ServerLimits).
std::chrono::seconds upload_time(const http::Request& request) {
  constexpr std::uint64_t kSlowest = 16 << 10;      // bytes a second
  constexpr std::uint64_t kLongestBody = 10 << 20;  // when it is not said
  if (!request.body) return std::chrono::seconds{0};
  return std::chrono::seconds{std::min(request.content_length.value_or(kLongestBody), kLongestBody) / kSlowest};
}

// Reads what a flight brings, or a part of it, and lets go of it with the viewer.
struct Followed final : http::BodyReader {
  Followed(std::unique_ptr<http::BodyReader> inner, std::uint64_t skip, std::optional<std::uint64_t> length,
           telemetry::Counter& bytes, std::shared_ptr<const Live> live)
      : inner(std::move(inner)),
        skip(skip),
        left(length.value_or(std::numeric_limits<std::uint64_t>::max())),
        bytes(bytes),
        live(std::move(live)) {}

  net::Task<Result<std::string_view>> next() override {
    for (;;) {
      if (left == 0) co_return std::string_view();
      auto piece = co_await inner->next();
      if (!piece || piece->empty()) co_return piece;
      const auto skipped = std::min<std::uint64_t>(skip, piece->size());
      skip -= skipped;
      auto taken = piece->substr(static_cast<std::size_t>(skipped));
      taken = taken.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, taken.size())));
      if (taken.empty()) continue;
      left -= taken.size();
      bytes.add(taken.size());
      co_return taken;
    }
  }

  std::unique_ptr<http::BodyReader> inner;
  std::uint64_t skip;
  std::uint64_t left;
  telemetry::Counter& bytes;
  const std::shared_ptr<const Live> live;
};

}  // namespace

net::Task<http::Response> Engine::follow(const http::Request& request, const Visit& visit,
                                         std::shared_ptr<store::Flight> flight,
                                         std::unique_ptr<http::BodyReader> reader, bool first) {
  http::Response response;
  auto seen = co_await net::with_timeout(settings.flight_time, flight->head(first));
  if (seen && seen->outcome == store::Flight::Outcome::kStream && seen->head && seen->head->shared) {
    if (waits_for_whole(request, *visit.behaviour, *seen->head)) {
      auto whole = co_await net::with_timeout(settings.flight_time, flight->end(first));
      if (whole) seen = *whole;
    }
  }
  if (!seen) {
    response = own_answer(status_of(seen.error()), "The origin did not answer in time.");
    settle(request, visit, response.status, 0, false);
    co_return response;
  }
  if (seen->outcome == store::Flight::Outcome::kStored) {
    const bool refreshed = seen->head && seen->head->status == 304;
    const bool stale = !seen->stored->fresh(doors.clock.steady()) && !refreshed;
    const Tone tone = refreshed ? Tone::kRefreshHit : stale ? Tone::kStale : first ? Tone::kMiss : Tone::kCollapsed;
    const auto key =
        seen->stored->vary.empty() ? visit.key : store::vary_key(visit.key, seen->stored->vary, request.headers);
    co_return co_await send(request, visit, key, seen->stored, tone);
  }
  const auto& head = *seen->head;
  for (const auto& field : head.headers.fields()) response.headers.add(field.name, field.value);
  const auto part = part_of(request, head);
  response.status = part.status;
  if (part.status == 206 || part.status == 416) response.headers.add("Content-Range", part.content_range);
  response.headers.add_view("X-Cache", part.status >= 400 ? "Error from cloudfront" : "Miss from cloudfront");
  response.headers.add_view("Cache-Status", first ? "securebase; fwd=uri-miss" : "securebase; fwd=uri-miss; collapsed");
  add_cors(*visit.behaviour, request, head.headers, response.headers);
  // Without a body, the reader goes here: when nobody else reads, the fetch ends.
  if (part.status != 304 && part.status != 416) {
    response.body = http::Body(std::make_unique<Followed>(std::move(reader), part.skip, part.length,
                                                          visit.distribution->recorders.bytes_downloaded, visit.live),
                               part.length);
  }
  settle(request, visit, part.status, 0, false);
  co_return response;
}

net::Task<http::Response> Engine::answer_stored(http::Request& request, Visit& visit) {
  constexpr int kFlights = 3;  // of those that something invalidates in the air
  std::shared_ptr<store::Flight> outdated;
  for (int i = 0; i < kFlights; ++i) {
    const auto found = look(request, visit);
    const auto& key = found.key.empty() ? visit.key : found.key;
    if (found.state == Found::State::kFresh) co_return co_await send(request, visit, key, found.stored, Tone::kHit);
    if (found.state == Found::State::kStale && found.serve_stale) {
      auto response = co_await send(request, visit, key, found.stored, Tone::kStale);
      refresh(request, visit, found);
      co_return response;
    }
    if (found.state == Found::State::kUncacheable || request.method == http::Method::kHead) {
      co_return co_await pass(request, visit, "securebase; fwd=miss");
    }
    auto joined = flights.join(key, outdated.get());
    // A place at its beginning, before the fetch goes on: what it brings is held until all who joined have read it.
    auto reader = joined.flight ? joined.flight->reader() : nullptr;
    if (!reader) co_return co_await pass(request, visit, "securebase; fwd=miss; detail=busy");
    if (joined.first) {
      auto fetch = make_fetch(request, visit, found.state == Found::State::kStale ? found.stored : nullptr, true);
      fetch->flight_key = key;
      net::Worker::current().tasks().spawn(fly(joined.flight, std::move(fetch)));
      co_return co_await follow(request, visit, joined.flight, std::move(reader), true);
    }
    const telemetry::SpanGuard wait(doors.spans, doors.clock, request.trace, telemetry::Hop::kFlight,
                                    visit.distribution->config.domain_name);
    auto seen = co_await net::with_timeout(settings.flight_time, joined.flight->head(false));
    if (seen && seen->outcome == store::Flight::Outcome::kReleased) break;
    // Who comes after an invalidation is not answered by a fetch that began before it.
    const auto* labels = seen ? seen->labels() : nullptr;
    if (!labels || doors.tags.judge(*labels) != store::Verdict::kGone) {
      co_return co_await follow(request, visit, joined.flight, std::move(reader), false);
    }
    outdated = std::move(joined.flight);
  }
  // Not for everybody after all: each for themselves, so many at a time.
  auto turn = co_await net::with_timeout(settings.flight_time, flights.turn(visit.key));
  if (!turn) {
    auto response = own_answer(504, "The origin did not answer in time.");
    settle(request, visit, response.status, 0, false);
    co_return response;
  }
  co_return co_await pass(request, visit, "securebase; fwd=miss");
}

// ---- Straight through

net::Task<http::Response> Engine::pass(http::Request& request, Visit& visit, std::string_view cache_status) {
  auto fetch = make_fetch(request, visit, nullptr, false);
  fetch->request.body = request.body;
  fetch->request.content_length = request.content_length;
  const bool safe = request.method == http::Method::kGet || request.method == http::Method::kHead ||
                    request.method == http::Method::kOptions || request.method == http::Method::kTrace;
  if (!safe || !fetch->origin->has_gate()) {
    // Nothing here answers these of what is not stored: the origin does. A write without its condition would be
    // another.
    for (const auto& field : request.headers.fields()) {
      for (const std::string_view name :
           {"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"}) {
        if (http::equal_ignoring_case(field.name, name)) fetch->request.headers.add(field.name, field.value);
      }
    }
  }
  auto asked = co_await net::with_timeout(settings.flight_time + upload_time(request), ask(*fetch));
  http::Response response;
  if (!asked) {
    base::log(base::Level::kWarning, "edge", "{}: {}", fetch->request.path, asked.error().message);
    response = own_answer(status_of(asked.error()), "The origin did not answer.");
    response.headers.remove("X-Cache");
  } else {
    response = *std::move(asked);
  }
  const int origin_status = response.status;
  if (origin_status >= 400) co_await replace_error(*fetch->live, *fetch->distribution, response, fetch->request);
  finalise(fetch->distribution->config, *fetch->behaviour, response);
  // RFC 9111 §4.4: what changed the resource makes what is stored of it invalid.
  if (!safe && origin_status < 400) {
    doors.tags.raise_path(fetch->distribution->config.id, visit.path, store::Strength::kHard);
  }
  http::Headers added;
  add_cors(*visit.behaviour, request, response.headers, added);
  for (const auto& field : added.fields()) response.headers.add(field.name, field.value);
  response.headers.add_view("X-Cache", response.status >= 400 ? "Error from cloudfront" : "Miss from cloudfront");
  response.headers.add("Cache-Status", cache_status);
  const auto bytes = response.body.length().value_or(0);
  if (response.body.is_stream()) {
    const auto length = response.body.length();
    response.body = http::Body(std::make_unique<Passing>(response.body.take_stream(), fetch), length);
  }
  settle(request, visit, response.status, request.method == http::Method::kHead ? 0 : bytes, false);
  co_return response;
}

}  // namespace securebase::edge
