// What answers a method: a function or a mock (HTTP upstreams are in http_proxy.cc).
#include <re2/re2.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/log.h"
#include "gateway/compress.h"
#include "gateway/engine.h"
#include "gateway/event.h"
#include "gateway/function_response.h"

namespace securebase::gateway {
namespace {

std::string_view media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find_first_of(";,"));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  while (!type.empty() && type.front() == ' ') type.remove_prefix(1);
  return type;
}

// "*/*" is every type, "image/*" every image.
bool is_binary(const std::vector<std::string>& binary_types, std::string_view content_type) {
  const auto type = media_type(content_type);
  for (const auto& each : binary_types) {
    if (each == "*/*") return true;
    if (type.empty()) continue;
    if (http::equal_ignoring_case(each, type)) return true;
    if (each.ends_with("/*") && type.size() >= each.size() - 1 &&
        http::equal_ignoring_case(type.substr(0, each.size() - 1), std::string_view(each).substr(0, each.size() - 1))) {
      return true;
    }
  }
  return false;
}

}  // namespace

net::Task<Result<std::string, Refusal>> Engine::read_body(http::Request& request) {
  if (!request.body) co_return std::string();
  auto body = co_await http::read_all(*request.body, settings.request_body_bytes);
  if (!body) {
    co_return body.error().code == Errc::kLimit ? Refusal::kRequestTooLarge : Refusal::kBadRequest;
  }
  const auto named = request.headers.get("Content-Encoding");
  if (!named) co_return std::move(*body);
  const auto coding = coding_from(*named);
  if (!coding || *coding == Coding::kIdentity) co_return std::move(*body);
  // A few kilobytes can become ten megabytes: no worker's time.
  auto made = co_await doors.pool.run([&coded = *body, coding = *coding, limit = settings.request_body_bytes] {
    return decompress(coded, coding, limit);
  });
  auto plain = made ? std::move(*made) : decompress(*body, *coding, settings.request_body_bytes);  // the pool is full
  if (!plain) {
    co_return plain.error().code == Errc::kLimit ? Refusal::kRequestTooLarge : Refusal::kBadRequest;
  }
  co_return std::move(*plain);
}

net::Task<Integrated> Engine::integrate(const Walk& walk, bool has_body, std::string body) {
  const auto began = doors.clock.steady();
  Integrated out;
  switch (walk.method->method->integration.type) {
    case Integration::Type::kAwsProxy:
      out = co_await call_function(walk, has_body, std::move(body));
      break;
    case Integration::Type::kHttpProxy:
      out = co_await ask_upstream(walk, std::move(body));
      break;
    case Integration::Type::kMock:
      out = mock(walk);
      break;
  }
  out.latency = std::chrono::round<std::chrono::microseconds>(doors.clock.steady() - began);
  co_return out;
}

net::Task<Integrated> Engine::call_function(const Walk& walk, bool has_body, std::string body) {
  using Kind = functions::InvokeOutcome::Kind;
  const Call& call = walk.call;
  EventBody sent;
  sent.present = has_body && !body.empty();
  sent.bytes = body;
  sent.binary = is_binary(call.api->binary_media_types, call.request->headers.get("Content-Type").value_or(""));
  auto event = proxy_event(call, sent);
  functions::InvokeOptions options;
  options.deadline = doors.clock.steady() + walk.method->method->integration.timeout;
  options.trace = call.request->trace;
  auto outcome = co_await doors.invoker.invoke(walk.method->function, std::move(event), std::move(options));
  switch (outcome.kind) {
    case Kind::kOk:
      break;
    case Kind::kFunctionError:
      co_return refused(Refusal::kIntegrationFailure, call);
    case Kind::kDeadline:
      co_return refused(Refusal::kIntegrationTimeout, call);
    case Kind::kTooLarge:
      co_return refused(Refusal::kRequestTooLarge, call);
    default:
      // Lambda Developer Guide, "Error handling with API Gateway": a refused invocation is a 500.
      base::log(base::Level::kWarning, "gateway", "{} {}: function {} could not be called: {}",
                call.request->method_name, call.resource->path, walk.method->function, outcome.payload);
      co_return refused(Refusal::kInternal, call);
  }

  auto parsed = FunctionResponse::parse(outcome.payload);
  if (!parsed) {
    base::log(base::Level::kWarning, "gateway", "{} {}: {}: {}", call.request->method_name, call.resource->path,
              walk.method->function, parsed.error().message);
    co_return refused(Refusal::kIntegrationFailure, call);
  }
  Integrated out;
  out.status = 200;  // of the invocation
  out.response.status = parsed->status;
  out.response.headers = std::move(parsed->headers);
  if (!out.response.headers.has("Content-Type")) out.response.headers.add("Content-Type", "application/json");
  if (parsed->base64) {
    // Developer Guide, "Content type conversions": the first type of Accept decides whether bytes or base64 are sent.
    const auto& types = call.api->binary_media_types;
    const bool everything = is_binary(types, "");
    if (everything || is_binary(types, call.request->headers.get("Accept").value_or(""))) {
      auto bytes = base::from_base64(parsed->body);
      if (!bytes) co_return refused(Refusal::kInternal, call);  // "Gateway response types": API_CONFIGURATION_ERROR
      parsed->body = std::move(*bytes);
    }
    // Without "*/*" the answer depends on Accept, which is in no cache key.
    if (!everything) out.response.headers.add("Vary", "Accept");
  }
  out.response.body = std::move(parsed->body);
  co_return out;
}

// The request template gives {"statusCode": 200}; the response with a pattern for that code, else the default one, is
// the answer.
Integrated Engine::mock(const Walk& walk) const {
  const Call& call = walk.call;
  const auto& method = *walk.method;
  int status = 200;
  if (!method.request_templates.empty()) {
    const auto type = std::string(media_type(call.request->headers.get("Content-Type").value_or("application/json")));
    auto found = method.request_templates.find(type);
    if (found == method.request_templates.end()) found = method.request_templates.find("application/json");
    if (found == method.request_templates.end()) return refused(Refusal::kUnsupportedMediaType, call);
    const auto given = base::Json::parse(found->second.render(call));
    if (!given || !(*given)["statusCode"].is_integer()) return refused(Refusal::kInternal, call);
    status = static_cast<int>((*given)["statusCode"].integer_or(200));
  }
  const CompiledMock* chosen = nullptr;
  for (const auto& each : method.mocks) {
    if (each.selection && RE2::FullMatch(std::to_string(status), *each.selection)) {
      chosen = &each;
      break;
    }
    if (!each.selection && !chosen) chosen = &each;
  }
  if (!chosen) return refused(Refusal::kInternal, call);
  Integrated out;
  out.status = status;
  out.response.status = chosen->status;
  for (const auto& [name, value] : chosen->source->fixed) out.response.headers.add(name, value);
  const auto body = chosen->templates.find("application/json");
  const auto& text = body != chosen->templates.end() ? body : chosen->templates.begin();
  if (text != chosen->templates.end()) {
    if (!out.response.headers.has("Content-Type")) out.response.headers.add("Content-Type", text->first);
    out.response.body = text->second.render(call);
  } else if (!out.response.headers.has("Content-Type")) {
    out.response.headers.add("Content-Type", "application/json");
  }
  return out;
}

}  // namespace securebase::gateway
