#include "edge/forward.h"

#include <array>

#include "base/encoding.h"
#include "base/hash.h"
#include "net/http/syntax.h"
#include "telemetry/span.h"

namespace securebase::edge {

namespace {

using http::equal_ignoring_case;

constexpr std::array<std::string_view, 4> kCredentials = {"Authorization", "Cookie", "X-API-Key",
                                                          "Proxy-Authorization"};

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const auto each : names) {
    if (equal_ignoring_case(name, each)) return true;
  }
  return false;
}

// Written by the edge itself, or answered by it.
bool is_edges_own(std::string_view name) {
  return is_one_of(
      name, {"Host", "Cookie", "Accept-Encoding", "X-Forwarded-For", "X-Forwarded-Proto", "Via", "X-Amzn-Trace-Id",
             "traceparent", "Content-Length", "Transfer-Encoding", "Expect", "X-Amz-Cf-Id", "If-None-Match",
             "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range", "Cache-Invalidate"});
}

bool is_cloudfronts(std::string_view name) {
  return name.size() > 11 && equal_ignoring_case(name.substr(0, 11), "CloudFront-");
}

template <class Take>
void for_each_cookie(const http::Headers& headers, Take take) {
  for (const auto& field : headers.fields()) {
    if (!equal_ignoring_case(field.name, "Cookie")) continue;
    std::string_view left = field.value;
    while (!left.empty()) {
      const auto end = std::min(left.find(';'), left.size());
      const auto pair = http::trim_blanks(left.substr(0, end));
      left.remove_prefix(std::min(end + 1, left.size()));
      if (!pair.empty()) take(pair.substr(0, pair.find('=')), pair);
    }
  }
}

std::string cookies(const http::Headers& viewer, const Selection& first, const Selection& second) {
  std::string made;
  for_each_cookie(viewer, [&](std::string_view name, std::string_view pair) {
    if (!first.takes(name) && !second.takes(name)) return;
    if (!made.empty()) made += "; ";
    made += pair;
  });
  return made;
}

}  // namespace

bool forwards_unkeyed_credentials(const Behaviour& behaviour, const http::Headers& viewer) {
  for (const auto name : kCredentials) {
    if (!viewer.has(name)) continue;
    if (name == "Cookie") {
      if (!behaviour.more_cookies.empty()) return true;
    } else if (behaviour.more_headers.takes_field(name) && !behaviour.key_headers.takes_field(name)) {
      return true;
    }
  }
  return false;
}

void append_query(std::string_view query, const Selection& first, const Selection& second, std::string& out) {
  if (query.empty()) return;
  if (first.kind == Selection::Kind::kAll || second.kind == Selection::Kind::kAll) {
    out += query;
    return;
  }
  if (first.empty() && second.empty()) return;
  const auto start = out.size();
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto raw = parameter.substr(0, parameter.find('='));
    // By what the name means: an escaped letter does not lead past the key.
    const auto name = raw.find_first_of("%+") == std::string_view::npos ? std::optional<std::string>(raw)
                                                                        : base::percent_decode(raw, base::Plus::kSpace);
    if (!name || (!first.takes(*name) && !second.takes(*name))) continue;
    if (out.size() > start) out += '&';
    out += parameter;
  }
}

void make_key(const Behaviour& behaviour, std::string_view path, const http::Request& viewer,
              std::string_view principal, Credentials credentials, std::string& key) {
  static const Selection kNothing;
  key.assign(behaviour.key_prefix);
  key.append(principal).append("\n").append(path).append("\n?");
  append_query(viewer.query, behaviour.key_queries, kNothing, key);
  for (const auto& name : behaviour.key_headers.names) {
    key += '\n';
    if (name == "host") {
      key.append("=").append(viewer.authority);
      continue;
    }
    for (const auto& field : viewer.headers.fields()) {
      if (equal_ignoring_case(field.name, name)) key.append("=").append(field.value).append("\r");
    }
  }
  if (!behaviour.key_cookies.empty()) {
    key += "\n;";
    for_each_cookie(viewer.headers, [&](std::string_view name, std::string_view pair) {
      if (behaviour.key_cookies.takes(name)) key.append(pair).append("\r");
    });
  }
  if (credentials == Credentials::kLeftOut) return;
  std::string secrets;
  for (const auto name : kCredentials) {
    for (const auto& field : viewer.headers.fields()) {
      if (equal_ignoring_case(field.name, name)) secrets.append(name).append("=").append(field.value).append("\n");
    }
  }
  key.append("\nc:").append(base::hex(base::sha256(secrets)));
}

OriginRequest make_origin_request(const Behaviour& behaviour, const OriginConfig& origin, std::string_view via,
                                  std::string_view path, const http::Request& viewer) {
  OriginRequest made;
  made.method = viewer.method;
  made.method_name = viewer.method_name;
  made.scheme = viewer.scheme;
  const bool host = behaviour.key_headers.takes_field("host") || behaviour.more_headers.takes_field("host");
  made.authority = host ? std::string(viewer.authority) : origin.domain_name;
  made.path = origin.path + std::string(path);
  append_query(viewer.query, behaviour.key_queries, behaviour.more_queries, made.query);
  const bool reads = viewer.method == http::Method::kGet || viewer.method == http::Method::kHead;
  for (const auto& field : viewer.headers.fields()) {
    if (is_edges_own(field.name) || is_cloudfronts(field.name)) continue;
    const bool of_body =
        !reads && is_one_of(field.name,
                            {"Content-Type", "Content-Encoding", "Content-Language", "Content-MD5", "Authorization",
                             "X-API-Key", "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"});
    if (of_body || behaviour.key_headers.takes_field(field.name) || behaviour.more_headers.takes_field(field.name)) {
      made.headers.add(field.name, field.value);
    }
  }
  if (const auto kept = cookies(viewer.headers, behaviour.key_cookies, behaviour.more_cookies); !kept.empty()) {
    made.headers.add("Cookie", kept);
  }
  for (const auto& header : origin.headers) made.headers.set(header.name, header.value);
  if (!made.headers.has("User-Agent")) made.headers.add("User-Agent", "Amazon CloudFront");
  std::string forwarded_for = viewer.headers.joined("X-Forwarded-For");
  if (!forwarded_for.empty()) forwarded_for += ", ";
  made.headers.add("X-Forwarded-For", forwarded_for.append(viewer.peer_address));
  made.headers.add("Via", via);
  if (behaviour.cloudfront_headers || behaviour.key_headers.takes_field("cloudfront-forwarded-proto") ||
      behaviour.more_headers.takes_field("cloudfront-forwarded-proto")) {
    made.headers.add("CloudFront-Forwarded-Proto", viewer.scheme);
  }
  made.peer_address = viewer.peer_address;
  made.peer_port = viewer.peer_port;
  made.tls_version = viewer.tls_version;
  made.received = viewer.received;
  made.trace = viewer.trace;
  return made;
}

}  // namespace securebase::edge
