#include "lambda/api_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"

namespace securebase::lambda {

namespace {

using base::Json;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

std::string_view find(const ApiRequest::Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

// Of an object of strings, or null when there are none (AWS sends null, not {}).
ApiRequest::Fields read_fields(const Json& object) {
  ApiRequest::Fields fields;
  if (const auto* members = object.as_object()) {
    for (const auto& [name, value] : *members) fields.emplace_back(name, value.string_or(""));
  }
  return fields;
}

}  // namespace

Result<ApiRequest> ApiRequest::parse(std::string_view event) {
  auto json = Json::parse(event);
  if (!json) return json.error().within("reading the event");
  ApiRequest request;
  request.method = (*json)["httpMethod"].string_or("");
  request.resource = (*json)["resource"].string_or("");
  request.path = (*json)["path"].string_or("");
  if (request.method.empty() || request.resource.empty()) {
    return Error{Errc::kMalformed, "expected an API Gateway proxy event (httpMethod, resource, ...)"};
  }
  request.headers = read_fields((*json)["headers"]);
  for (auto& [name, value] : request.headers) name = lower(name);
  request.path_parameters = read_fields((*json)["pathParameters"]);
  request.query = read_fields((*json)["queryStringParameters"]);
  const Json& authorizer = (*json)["requestContext"]["authorizer"];
  request.customer_id = authorizer["customer_id"].string_or("");
  request.scope = authorizer["scope"].string_or("");
  request.body = (*json)["body"].string_or("");
  if ((*json)["isBase64Encoded"].bool_or(false)) {
    auto decoded = base::from_base64(request.body);
    if (!decoded) return Error{Errc::kMalformed, "the event's body is said to be base64 and is not"};
    request.body = std::move(*decoded);
  }
  return request;
}

std::string_view ApiRequest::header(std::string_view lower_case_name) const { return find(headers, lower_case_name); }
std::string_view ApiRequest::path_parameter(std::string_view name) const { return find(path_parameters, name); }
std::string_view ApiRequest::query_parameter(std::string_view name) const { return find(query, name); }

Result<Json> ApiRequest::json_body() const {
  if (body.empty()) return Json::object();
  auto json = Json::parse(body);
  if (!json) return Error{Errc::kMalformed, fmt::format("body: expected a JSON object: {}", json.error().message)};
  if (!json->is_object()) return Error{Errc::kMalformed, "body: expected a JSON object"};
  return json;
}

bool ApiRequest::has_scope(std::string_view word) const {
  std::string_view rest = scope;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == word) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace securebase::lambda
