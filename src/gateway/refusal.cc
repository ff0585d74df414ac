#include "gateway/refusal.h"

#include <fmt/format.h>

#include "base/json.h"

namespace securebase::gateway {
namespace {

struct Wording {
  std::string_view type;  // of aws_api_gateway_gateway_response
  int status;
  std::string_view error_type;  // x-amzn-ErrorType
  std::string_view message;     // "" for null
  std::string_view member = "message";
};

const Wording& wording_of(Refusal refusal) {
  static constexpr Wording kWordings[] = {
      {"MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
      {"UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized"},
      {"ACCESS_DENIED", 403, "AccessDeniedException", "User is not authorized to access this resource", "Message"},
      {"ACCESS_DENIED", 403, "AccessDeniedException",
       "User is not authorized to access this resource with an explicit deny", "Message"},
      {"AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", ""},
      {"AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", ""},
      {"ACCESS_DENIED", 403, "AccessDeniedException", "User is not authorized to access this resource", "Message"},
      {"THROTTLED", 429, "TooManyRequestsException", "Too Many Requests"},
      {"DEFAULT_4XX", 400, "BadRequestException", "Bad Request"},
      {"BAD_REQUEST_PARAMETERS", 400, "BadRequestException", "Missing required request parameters: [{}]"},
      {"REQUEST_TOO_LARGE", 413, "RequestTooLargeException", "Request Too Long"},
      {"UNSUPPORTED_MEDIA_TYPE", 415, "BadRequestException", "Unsupported Media Type"},
      {"DEFAULT_5XX", 502, "InternalServerErrorException", "Internal server error"},
      {"INTEGRATION_FAILURE", 504, "InternalServerErrorException", "Network error communicating with endpoint"},
      {"INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", "Endpoint request timed out"},
      {"API_CONFIGURATION_ERROR", 500, "InternalServerErrorException", "Internal server error"},
      {"ACCESS_DENIED", 403, "ForbiddenException", "Forbidden"},
  };
  return kWordings[static_cast<std::size_t>(refusal)];
}

// The response configured for the type, or for its class.
const GatewayResponse* configured(const Api& api, const Wording& wording) {
  const auto& all = api.gateway_responses;
  if (const auto found = all.find(std::string(wording.type)); found != all.end()) return &found->second;
  const auto found = all.find(wording.status >= 500 ? "DEFAULT_5XX" : "DEFAULT_4XX");
  return found == all.end() ? nullptr : &found->second;
}

// $context.error.messageString (quoted), $context.error.message, $context.error.responseType and other $context
// variables of a response template. What is unknown stays empty.
std::string fill(std::string_view text, const Call& call, std::string_view message, std::string_view type) {
  constexpr std::string_view kMark = "$context.";
  std::string out;
  for (;;) {
    const auto at = text.find(kMark);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + kMark.size());
    std::size_t end = 0;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '.')) ++end;
    while (end > 0 && text[end - 1] == '.') --end;
    const auto name = text.substr(0, end);
    text.remove_prefix(end);
    if (name == "error.messageString") {
      base::append_json_string(out, message);
    } else if (name == "error.message") {
      out += message;
    } else if (name == "error.responseType") {
      out += type;
    } else if (const auto value = context_value(call, name)) {
      // Within a JSON template: without the quotes, so that the client's own words cannot end a string.
      std::string quoted;
      base::append_json_string(quoted, *value);
      out += std::string_view(quoted).substr(1, quoted.size() - 2);
    }
  }
}

}  // namespace

std::string_view response_type_of(Refusal refusal) { return wording_of(refusal).type; }

http::Response refuse(Refusal refusal, const Call* call, std::string_view detail) {
  const Wording& wording = wording_of(refusal);
  const std::string message = wording.message.find("{}") == std::string_view::npos
                                  ? std::string(wording.message)
                                  : fmt::format(fmt::runtime(wording.message), detail);
  std::string text = "null";
  if (!message.empty()) {
    text.clear();
    base::append_json_string(text, message);
  }
  http::Response response;
  response.status = wording.status;
  std::string body = fmt::format("{{\"{}\":{}}}", wording.member, text);
  const GatewayResponse* replaced = call && call->api ? configured(*call->api, wording) : nullptr;
  if (replaced) {
    if (replaced->status) response.status = *replaced->status;
    for (const auto& [name, value] : replaced->headers) response.headers.add(name, value);
    if (!replaced->body_template.empty()) body = fill(replaced->body_template, *call, message, wording.type);
  }
  if (!response.headers.has("Content-Type")) response.headers.add("Content-Type", "application/json");
  response.headers.add("x-amzn-ErrorType", wording.error_type);
  // Caches in front must not keep a verdict about one caller for the next.
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

http::Response refuse_throttled(const Call& call, std::chrono::seconds retry_after, std::string_view limit) {
  auto response = refuse(Refusal::kThrottled, &call);
  response.headers.add("Retry-After", std::to_string(retry_after.count()));
  response.headers.add("x-securebase-limit", limit);
  return response;
}

}  // namespace securebase::gateway
