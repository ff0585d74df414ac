#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/random.h"
#include "edge/engine.h"
#include "edge/range.h"
#include "net/worker.h"

namespace securebase::edge {

namespace {

using store::Encoding;

std::string_view x_cache(Tone tone, int status) {
  if (status >= 400) return "Error from cloudfront";
  switch (tone) {
    case Tone::kHit:
    case Tone::kStale:
      return "Hit from cloudfront";
    case Tone::kRefreshHit:
      return "RefreshHit from cloudfront";
    case Tone::kMiss:
    case Tone::kCollapsed:
      break;
  }
  return "Miss from cloudfront";
}

// RFC 9211.
std::string_view cache_status(Tone tone) {
  switch (tone) {
    case Tone::kHit:
      return "securebase; hit";
    case Tone::kStale:
      return "securebase; hit; detail=stale";
    case Tone::kRefreshHit:
      return "securebase; fwd=stale; fwd-status=304; stored";
    case Tone::kCollapsed:
      return "securebase; fwd=uri-miss; collapsed";
    case Tone::kMiss:
      break;
  }
  return "securebase; fwd=uri-miss; stored";
}

void copy_fields(const http::PreparedResponse& from, http::Headers& to, bool type) {
  for (const auto& field : from.headers.fields()) {
    if (!type && http::equal_ignoring_case(field.name, "Content-Type")) continue;
    to.add(field.name, field.value);
  }
}

void write_ranges(const http::PreparedResponse& prepared, const std::vector<ByteRange>& ranges,
                  http::Response& response) {
  const auto size = prepared.body.size();
  if (ranges.empty()) {
    response.status = 416;
    response.headers.add("Content-Range", fmt::format("bytes */{}", size));
    return;
  }
  response.status = 206;
  if (ranges.size() == 1) {
    copy_fields(prepared, response.headers, true);
    response.headers.add("Content-Range", fmt::format("bytes {}-{}/{}", ranges[0].first, ranges[0].last, size));
    response.body = prepared.body.part(ranges[0].first, ranges[0].length());
    return;
  }
  copy_fields(prepared, response.headers, false);
  const auto boundary = base::random_hex(24);
  response.headers.add("Content-Type", "multipart/byteranges; boundary=" + boundary);
  const auto type = prepared.headers.get("Content-Type").value_or("application/octet-stream");
  std::string body;
  for (const auto& range : ranges) {
    fmt::format_to(std::back_inserter(body), "\r\n--{}\r\nContent-Type: {}\r\nContent-Range: bytes {}-{}/{}\r\n\r\n",
                   boundary, type, range.first, range.last, size);
    body.append(prepared.body.bytes(), range.first, range.length());
  }
  body.append("\r\n--").append(boundary).append("--\r\n");
  response.body = std::move(body);
}

// The fields of a 304 (RFC 9110 §15.4.5).
bool in_304(std::string_view name) {
  for (const std::string_view kept :
       {"Cache-Control", "Content-Location", "ETag", "Expires", "Vary", "Last-Modified", "Via", "Cache-Tag"}) {
    if (http::equal_ignoring_case(name, kept)) return true;
  }
  return false;
}

}  // namespace

void add_cors(const Behaviour& behaviour, const http::Request& request, const http::Headers& present,
              http::Headers& headers) {
  if (!behaviour.fields || !behaviour.fields->cors) return;
  const auto origin = request.headers.get("Origin");
  if (!origin) return;
  const auto& cors = *behaviour.fields->cors;
  if (!cors.origin_override && present.has("Access-Control-Allow-Origin")) return;
  bool any = false;
  bool allowed = false;
  for (const auto& pattern : cors.allow_origins.items) {
    any = any || pattern == "*";
    const auto star = pattern.find('*');
    allowed = allowed || *origin == pattern ||
              (star != std::string::npos && origin->size() >= pattern.size() - 1 &&
               origin->starts_with(pattern.substr(0, star)) && origin->ends_with(pattern.substr(star + 1)));
  }
  if (!any && !allowed) return;
  const auto joined = [](const std::set<std::string>& items) {
    std::string all;
    for (const auto& item : items) all.append(all.empty() ? "" : ", ").append(item);
    return all;
  };
  headers.add("Access-Control-Allow-Origin", any ? "*" : *origin);
  if (!any) headers.add("Vary", "Origin");
  if (cors.credentials && !any) headers.add("Access-Control-Allow-Credentials", "true");
  if (cors.expose_headers && !cors.expose_headers->items.empty()) {
    headers.add("Access-Control-Expose-Headers", joined(cors.expose_headers->items));
  }
  if (request.method != http::Method::kOptions) return;
  if (!cors.allow_methods.items.empty()) {
    headers.add("Access-Control-Allow-Methods", joined(cors.allow_methods.items));
  }
  if (!cors.allow_headers.items.empty()) {
    headers.add("Access-Control-Allow-Headers", joined(cors.allow_headers.items));
  }
  if (cors.max_age) headers.add("Access-Control-Max-Age", std::to_string(*cors.max_age));
}

Encoding Engine::wanted(const http::Request& request, const Behaviour& behaviour,
                        const store::StoredResponse& stored) const {
  if (!stored.compressible || request.headers.has("Range")) return Encoding::kIdentity;
  const auto accepts = request.headers.get("Accept-Encoding");
  if (!accepts) return Encoding::kIdentity;
  const auto best = store::preferred(*accepts);
  if (best == Encoding::kBrotli && !behaviour.brotli) {
    return behaviour.gzip && store::parse_accept_encoding(*accepts).gzip ? Encoding::kGzip : Encoding::kIdentity;
  }
  if (best == Encoding::kGzip && !behaviour.gzip) return Encoding::kIdentity;
  return best;
}

bool Engine::write(const http::Request& request, const Visit& visit, const store::StoredResponse& stored, Tone tone,
                   bool may_encode, http::Response& response) const {
  auto encoding = wanted(request, *visit.behaviour, stored);
  if (!stored.variants[static_cast<std::size_t>(encoding)]) {
    if (may_encode) return false;
    encoding = Encoding::kIdentity;
  }
  const auto& prepared = stored.variants[static_cast<std::size_t>(encoding)];
  int status = stored.status;
  const bool plain = stored.status == 200;
  if (plain && store::not_modified(request.headers, stored.etag, stored.last_modified)) {
    status = 304;
    response.status = 304;
    for (const auto& field : prepared->headers.fields()) {
      if (in_304(field.name)) response.headers.add(field.name, field.value);
    }
  } else {
    std::optional<std::vector<ByteRange>> ranges;
    if (plain && request.method == http::Method::kGet) {
      if (const auto range = request.headers.get("Range");
          range && range_holds(request.headers, stored.etag, stored.last_modified)) {
        ranges = parse_range(*range, stored.identity().body.size());
      }
    }
    if (ranges) {
      write_ranges(stored.identity(), *ranges, response);
      status = response.status;
    } else {
      response.prepared = prepared;
      response.status = stored.status;
    }
  }
  if (tone != Tone::kMiss || stored.age(doors.clock.steady()) > store::seconds{0}) {
    std::array<char, 24> digits;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), stored.age(doors.clock.steady()).count());
    response.headers.add("Age", {digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
  }
  response.headers.add_view("X-Cache", x_cache(tone, status));
  response.headers.add_view("Cache-Status", cache_status(tone));
  add_cors(*visit.behaviour, request, prepared->headers, response.headers);
  const std::uint64_t bytes = request.method == http::Method::kHead || status == 304 ? 0
                              : response.prepared                                    ? prepared->body.size()
                                                  : response.body.length().value_or(0);
  settle(request, visit, status, bytes, tone == Tone::kHit || tone == Tone::kStale || tone == Tone::kRefreshHit);
  return true;
}

net::Task<http::Response> Engine::send(const http::Request& request, const Visit& visit, const std::string& key,
                                       std::shared_ptr<const store::StoredResponse> stored, Tone tone) {
  http::Response response;
  if (write(request, visit, *stored, tone, true, response)) co_return response;
  const auto encoding = wanted(request, *visit.behaviour, *stored);
  // One makes it; who comes meanwhile gets the plain bytes.
  const auto lead = flights.lead(fmt::format("{}\nmake:{}", key, store::to_string(encoding)));
  if (lead) {
    std::shared_ptr<const store::StoredResponse> made;
    if (stored->identity().body.size() <= store::kCompressedAtOnce) {
      made = store::with_encoding(*stored, encoding);
    } else {
      const auto* from = stored.get();
      auto done = co_await doors.pool.run([from, encoding] { return store::with_encoding(*from, encoding); });
      if (done) made = *done;
    }
    lead->finish(nullptr);
    if (made) {
      store.replace(key, stored.get(), made);
      stored = made;
    }
  }
  write(request, visit, *stored, tone, false, response);
  co_return response;
}

void Engine::settle(const http::Request& request, const Visit& visit, int status, std::uint64_t bytes, bool hit) const {
  const auto& r = visit.distribution->recorders;
  auto& tally = *visit.distribution->tally;
  r.requests.add();
  tally.requests.add();
  if (bytes > 0) r.bytes_downloaded.add(bytes);
  if (request.content_length.value_or(0) > 0) r.bytes_uploaded.add(*request.content_length);
  const bool client = status >= 400 && status < 500;
  const bool server = status >= 500;
  r.error_rate_4xx.record(client ? 100 : 0);
  r.error_rate_5xx.record(server ? 100 : 0);
  r.total_error_rate.record(client || server ? 100 : 0);
  if (client || server) tally.errors.add();
  if (!visit.cacheable) return;
  r.cache_hit_rate.record(hit ? 100 : 0);
  (hit ? tally.hits : tally.misses).add();
}

}  // namespace securebase::edge
