// HTTP_PROXY: the request goes to a URL as it came, and what comes back goes to the client.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"
#include "gateway/engine.h"
#include "gateway/fields.h"

namespace securebase::gateway {
namespace {

struct Url {
  bool tls = false;
  net::Address origin;
  std::string path;  // begins with '/', may hold {parameters}
};

Result<Url> read_url(std::string_view text) {
  Url out;
  out.tls = text.starts_with("https://");
  text.remove_prefix(out.tls ? 8 : 7);
  const auto slash = std::min(text.find('/'), text.size());
  std::string authority(text.substr(0, slash));
  if (authority.rfind(':') == std::string::npos || authority.ends_with(']')) authority += out.tls ? ":443" : ":80";
  auto address = net::Address::parse(authority);
  if (!address) return address.error();
  out.origin = std::move(*address);
  out.path = slash == text.size() ? "/" : std::string(text.substr(slash));
  return out;
}

// What may stand in a segment: parameters of the path keep their escapes, all else gets them.
std::string segment_of(const Call& call, const Parameter& parameter) {
  const auto value = value_of(call, parameter).value_or("");
  return parameter.from == Parameter::From::kPath ? value : base::percent_encode(value);
}

// {name} becomes what is mapped to it, else the path parameter of that name. No value can begin another segment, nor a
// query.
std::string fill_path(std::string_view path, const Call& call) {
  const auto& mapped = call.method->integration.path_parameters;
  std::string out;
  for (;;) {
    const auto open = path.find('{');
    const auto close = open == std::string_view::npos ? open : path.find('}', open);
    if (close == std::string_view::npos) return out += path;
    out += path.substr(0, open);
    std::string name(path.substr(open + 1, close - open - 1));
    if (name.ends_with('+')) name.pop_back();
    const auto found = mapped.find(name);
    if (found != mapped.end()) {
      out += segment_of(call, found->second);
    } else {
      out += call.path_value(name);
    }
    path.remove_prefix(close + 1);
  }
}

// A named coroutine, so that the request lives in its frame while the time runs.
net::Task<Result<http::ClientResponse>> send(http::Client& client, http::ClientRequest request) {
  co_return co_await client.send(std::move(request));
}

Refusal refusal_of(const Error& error) {
  if (error.code == Errc::kTimeout) return Refusal::kIntegrationTimeout;
  return error.code == Errc::kLimit ? Refusal::kIntegrationFailure : Refusal::kNetworkFailure;
}

}  // namespace

http::Client& Engine::client() {
  auto& mine = clients[net::Worker::current().index() % kWorkers];
  if (!mine) mine = std::make_unique<http::Client>();
  return *mine;
}

net::Task<Integrated> Engine::ask_upstream(const Walk& walk, std::string body) {
  const Call& call = walk.call;
  auto url = read_url(walk.method->uri);
  if (!url) co_return refused(Refusal::kInternal, call);
  http::ClientRequest sent;
  sent.origin = url->origin;
  sent.tls = url->tls;
  const auto& named = call.method->integration.http_method;
  sent.method = named == "ANY" ? call.request->method : http::method_from(named);
  sent.target = fill_path(url->path, call);
  if (!call.request->query.empty()) {
    sent.target += sent.target.find('?') == std::string::npos ? '?' : '&';
    sent.target += call.request->query;
  }
  for (const auto& field : call.request->headers.fields()) {
    // The body was decoded, if it was coded at all.
    const bool ours = http::equal_ignoring_case(field.name, "Host") || http::equal_ignoring_case(field.name, "Via") ||
                      http::equal_ignoring_case(field.name, "Content-Encoding") || is_dropped_from_request(field.name);
    if (!ours) sent.headers.add(field.name, field.value);
  }
  // The edge has put the viewer there already.
  auto chain = call.request->headers.joined("X-Forwarded-For");
  if (!std::string_view(chain).ends_with(call.request->peer_address)) {
    chain.append(chain.empty() ? "" : ", ").append(call.request->peer_address);
  }
  sent.headers.set("X-Forwarded-For", chain);
  sent.body = std::move(body);
  telemetry::SpanGuard span(doors.spans, doors.clock, call.request->trace, telemetry::Hop::kUpstream, url->origin.host,
                            url->path);
  span.span().method = http::to_string(sent.method);
  if (span.trace().known()) {
    sent.headers.set("X-Amzn-Trace-Id", telemetry::to_xray_header(span.trace()));
    sent.headers.set("traceparent", telemetry::to_traceparent(span.trace()));
  }

  const auto timeout = walk.method->method->integration.timeout;
  auto got = co_await net::with_timeout(timeout, send(client(), std::move(sent)));
  if (!got) {
    span.fail();
    base::log(base::Level::kWarning, "gateway", "{} {}: {}", call.request->method_name, call.resource->path,
              got.error().message);
    co_return refused(refusal_of(got.error()), call);
  }
  span.status(got->status);
  Integrated out;
  out.status = got->status;
  out.response.status = got->status;
  for (const auto& field : got->headers.fields()) {
    add_response_field(out.response.headers, field.name, field.value);
  }
  if (got->body) {
    auto bytes = co_await net::with_timeout(timeout, http::read_all(*got->body, settings.request_body_bytes));
    if (!bytes) co_return refused(refusal_of(bytes.error()), call);
    out.response.body = std::move(*bytes);
  }
  co_return out;
}

}  // namespace securebase::gateway
