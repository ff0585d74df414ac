#include <fmt/format.h>

#include "edge/engine.h"
#include "edge/path.h"

namespace securebase::edge {

namespace {

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

constexpr std::uint32_t kReads =
    (1U << static_cast<unsigned>(http::Method::kGet)) | (1U << static_cast<unsigned>(http::Method::kHead));

}  // namespace

const Distribution* Live::find(std::string_view host) const {
  const auto name = host_of(host);
  if (const auto found = hosts.find(name); found != hosts.end()) return found->second;
  for (const auto& [suffix, distribution] : wildcards) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) return distribution;
  }
  return distributions.empty() ? nullptr : &distributions.front();
}

http::Response own_answer(int status, std::string_view text) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/html");
  response.headers.add_view("X-Cache", "Error from cloudfront");
  response.headers.add_view("Cache-Control", "no-store");
  response.body = fmt::format(
      "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head><body>\n"
      "<h1>{} ERROR</h1>\n<h2>The request could not be satisfied.</h2>\n<p>{}</p>\n</body></html>\n",
      status, text);
  return response;
}

int status_of(const Error& error) { return error.code == Errc::kTimeout ? 504 : 502; }

bool Engine::arrive(const http::Request& request, Visit& visit, http::Response& response) const {
  const Live& live_now = *visit.live;
  visit.distribution = live_now.find(request.authority);
  if (!visit.distribution || !visit.distribution->config.enabled) {
    response = own_answer(403, "No enabled distribution answers for this host.");
    return false;
  }
  const auto& config = visit.distribution->config;
  if (request.path == "*") {  // OPTIONS of the server as a whole (RFC 9110 §9.3.7): no path, so no behaviour
    response.status = 204;
    response.headers.add_view("Allow", "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE");
    return false;
  }
  const auto path = normal_path(request.path, visit.scratch);
  if (!path) {
    response = own_answer(400, "Bad request: the path can be understood in more than one way.");
    return false;
  }
  visit.path =
      *path == "/" && !config.default_root_object.empty() ? std::string_view(config.default_root_object) : *path;
  visit.behaviour = &config.behaviour_for(visit.path);
  const auto& behaviour = *visit.behaviour;
  if (behaviour.viewer_protocol != ViewerProtocol::kAllowAll && request.scheme != "https") {
    if (behaviour.viewer_protocol == ViewerProtocol::kHttpsOnly) {
      response = own_answer(403, "Bad request: this address is answered over HTTPS only.");
      return false;
    }
    // What is not a read keeps its method on the way (Developer Guide, "Require HTTPS").
    const bool reads = (method_bit(request.method) & kReads) != 0;
    response = own_answer(reads || request.version_minor == 0 ? 301 : 307, "Moved to HTTPS.");
    // An address without a port moves to the same; one with ours moves to its neighbour.
    std::string host(request.authority.empty() ? config.domain_name : host_of(request.authority));
    if (host.size() < request.authority.size()) host += fmt::format(":{}", settings.https_port);
    response.headers.add("Location", fmt::format("https://{}{}", host, request.target));
    response.headers.set("X-Cache", "Redirect from cloudfront");
    return false;
  }
  if ((behaviour.allowed & method_bit(request.method)) == 0) {
    response = own_answer(
        403,
        "This distribution is not configured to allow the HTTP request method that was used for this request. "
        "The distribution supports only cachable requests.");
    return false;
  }
  // Developer Guide, "How CloudFront processes requests": a GET request that includes a body.
  if (request.method == http::Method::kGet && request.body != nullptr) {
    response = own_answer(403, "A GET request with a body is not forwarded: send it without one, or use POST.");
    return false;
  }
  visit.origin = visit.distribution->origins[behaviour.origin].get();
  if (!visit.origin->has_gate()) {
    visit.caller.verdict = Caller::Verdict::kPublic;
    visit.caller.principal = {};
    return true;
  }
  const auto& origin = config.origins[behaviour.origin];
  auto& gate = visit.gate;
  gate.method = request.method;
  gate.method_name = request.method_name;
  gate.scheme = request.scheme;
  gate.authority = origin.domain_name;
  if (behaviour.key_headers.takes_field("host") || behaviour.more_headers.takes_field("host")) {
    gate.authority = request.authority;
  }
  gate.path = visit.path;
  if (!origin.path.empty()) {
    visit.gate_path.assign(origin.path).append(visit.path);
    gate.path = visit.gate_path;
  }
  gate.query = request.query;
  gate.target = request.target;
  gate.headers.clear();
  for (const auto& field : request.headers.fields()) gate.headers.add_view(field.name, field.value);
  gate.content_length = request.content_length;
  gate.peer_address = request.peer_address;
  gate.peer_port = request.peer_port;
  gate.tls_version = request.tls_version;
  gate.received = request.received;
  gate.trace = request.trace;
  return true;
}

void Engine::prepare(const http::Request& request, Visit& visit) const {
  const auto& behaviour = *visit.behaviour;
  const auto bit = method_bit(request.method);
  visit.cacheable = behaviour.stores && (bit & kReads & behaviour.cached) != 0 && request.body == nullptr;
  if (!visit.cacheable) return;
  visit.credentials = forwards_unkeyed_credentials(behaviour, request.headers);
  // Whoever is behind a gate is told apart by it. Elsewhere the credentials themselves have to do it.
  const bool keyed = visit.credentials && !visit.origin->has_gate();
  make_key(behaviour, visit.path, request, visit.caller.principal, keyed ? Credentials::kKeyed : Credentials::kLeftOut,
           visit.key);
}

Found Engine::look(const http::Request& request, const Visit& visit) {
  Found found;
  found.stored = store.find(visit.key);
  if (!found.stored) return found;
  const auto now = doors.clock.steady();
  if (found.stored->kind == store::StoredResponse::Kind::kUncacheable) {
    if (found.stored->fresh(now)) found.state = Found::State::kUncacheable;
    return found;
  }
  if (found.stored->kind == store::StoredResponse::Kind::kVary) {
    found.key = store::vary_key(visit.key, found.stored->vary, request.headers);
    found.stored = store.find(found.key);
    if (!found.stored) return found;
  }
  const auto& stored = *found.stored;
  // The principal is in the key: this is the second lock on the same door.
  if (stored.kind != store::StoredResponse::Kind::kWhole || stored.principal != visit.caller.principal) {
    found.stored = nullptr;
    return found;
  }
  const auto verdict = doors.tags.judge(stored.labels);
  if (verdict == store::Verdict::kGone) {
    found.stored = nullptr;
    return found;
  }
  if (verdict == store::Verdict::kValid && stored.fresh(now)) {
    found.state = Found::State::kFresh;
    return found;
  }
  found.state = Found::State::kStale;
  const bool soft = verdict == store::Verdict::kStale && stored.fresh(now);
  found.serve_stale = !stored.must_revalidate && (soft || now < stored.fresh_until + stored.stale_while_revalidate);
  return found;
}

}  // namespace securebase::edge
