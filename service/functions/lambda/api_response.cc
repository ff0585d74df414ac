#include "lambda/api_response.h"

#include <fmt/format.h>

#include "base/json.h"
#include "lambda/serve.h"

namespace securebase::lambda {

std::string ApiResponse::encode() const {
  std::string out = fmt::format("{{\"statusCode\":{},\"headers\":{{", status);
  out.reserve(out.size() + body.size() + body.size() / 8 + 512);
  bool first = true;
  for (const auto& [name, value] : headers) {
    if (!first) out += ',';
    first = false;
    base::append_json_string(out, name);
    out += ':';
    base::append_json_string(out, value);
  }
  out += "},\"body\":";
  base::append_json_string(out, body);
  out += ",\"isBase64Encoded\":false}";
  return out;
}

ApiResponse uncached(int status, std::string body) {
  ApiResponse response{.status = status, .headers = {{"Cache-Control", "no-store"}}, .body = std::move(body)};
  if (!response.body.empty()) response.headers.emplace_back("Content-Type", "application/json");
  return response;
}

ApiResponse message(int status, std::string_view text) {
  return uncached(status, base::Json::object({{"message", text}}).dump());
}

ApiResponse response_for(const Error& error) {
  switch (error.code) {
    case Errc::kMalformed:
      return message(400, error.message);
    case Errc::kNotFound:
      return message(404, error.message);
    case Errc::kConflict:
      return message(409, error.message);
    case Errc::kDenied:
      return message(403, "Forbidden");
    case Errc::kUnavailable:
    case Errc::kTimeout:
    case Errc::kClosed: {
      log_line("ERROR", error.message);
      ApiResponse response = message(503, "Service Unavailable");
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
    default:
      log_line("ERROR", error.message);
      return message(500, "Internal Server Error");
  }
}

}  // namespace securebase::lambda
