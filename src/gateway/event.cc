#include "gateway/event.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/json.h"
#include "gateway/fields.h"
#include "gateway/principal.h"

namespace securebase::gateway {
namespace {

// ,"name":"value"
void member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  base::append_json_string(out, value);
}

// Header fields as the event shows them: those of the request, and those that API Gateway adds.
struct EventHeaders {
  explicit EventHeaders(const Call& call) {
    const auto& request = *call.request;
    fields.reserve(request.headers.size() + 5);
    trace = call.trace_header();
    bool traced = trace.empty();
    for (const auto& field : request.headers.fields()) {
      // The chain of addresses gets one entry, below.
      if (http::equal_ignoring_case(field.name, "X-Forwarded-For")) {
        if (!forwarded_for.empty()) forwarded_for += ", ";
        forwarded_for += field.value;
        continue;
      }
      if (http::equal_ignoring_case(field.name, "X-Forwarded-Port") ||
          http::equal_ignoring_case(field.name, "X-Forwarded-Proto") || is_dropped_from_request(field.name)) {
        continue;
      }
      // The hop that calls the function is the parent, no longer the client's.
      if (!traced && http::equal_ignoring_case(field.name, "X-Amzn-Trace-Id")) {
        fields.push_back({field.name, trace});
        traced = true;
        continue;
      }
      fields.push_back(field);
    }
    if (!request.headers.has("Host")) fields.push_back({"Host", request.authority});
    if (!traced) fields.push_back({"X-Amzn-Trace-Id", trace});
    // The edge has put the viewer there already.
    if (!std::string_view(forwarded_for).ends_with(request.peer_address)) {
      if (!forwarded_for.empty()) forwarded_for += ", ";
      forwarded_for += request.peer_address;
    }
    fields.push_back({"X-Forwarded-For", forwarded_for});
    fields.push_back({"X-Forwarded-Port", request.scheme == "https" ? "443" : "80"});
    fields.push_back({"X-Forwarded-Proto", request.scheme});
  }

  std::vector<http::Headers::Field> fields;
  std::string forwarded_for;
  std::string trace;
};

// {"a":"last"} and {"a":["first","last"]} of fields that may repeat. Requests have few of them: comparing each with
// each is quicker than any table. `same` tells whether two names are one.
template <class Fields, class Name, class Value, class Same>
void append_single(std::string& out, const Fields& fields, Name name, Value value, Same same) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    bool comes_again = false;
    for (std::size_t j = i + 1; j < fields.size() && !comes_again; ++j) comes_again = same(fields[i], fields[j]);
    if (comes_again) continue;
    if (!first) out += ',';
    first = false;
    base::append_json_string(out, name(fields[i]));
    out += ':';
    base::append_json_string(out, value(fields[i]));
  }
  out += '}';
}

template <class Fields, class Name, class Value, class Same>
void append_multiple(std::string& out, const Fields& fields, Name name, Value value, Same same) {
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    bool was_before = false;
    for (std::size_t j = 0; j < i && !was_before; ++j) was_before = same(fields[i], fields[j]);
    if (was_before) continue;
    if (!first) out += ',';
    first = false;
    base::append_json_string(out, name(fields[i]));
    out += ":[";
    base::append_json_string(out, value(fields[i]));
    for (std::size_t j = i + 1; j < fields.size(); ++j) {
      if (!same(fields[i], fields[j])) continue;
      out += ',';
      base::append_json_string(out, value(fields[j]));
    }
    out += ']';
  }
  out += '}';
}

void append_headers(std::string& out, const Call& call) {
  using Field = http::Headers::Field;
  const EventHeaders headers(call);
  const auto name = [](const Field& field) { return field.name; };
  const auto value = [](const Field& field) { return field.value; };
  const auto same = [](const Field& a, const Field& b) {
    return a.name.size() == b.name.size() && http::equal_ignoring_case(a.name, b.name);
  };
  out += ",\"headers\":";
  append_single(out, headers.fields, name, value, same);
  out += ",\"multiValueHeaders\":";
  append_multiple(out, headers.fields, name, value, same);
}

// `empty` is what stands for "no parameters": null in proxy events, {} in those of authorizers.
void append_query(std::string& out, const Call& call, std::string_view empty) {
  const auto name = [](const QueryParameter& each) { return std::string_view(each.name); };
  const auto value = [](const QueryParameter& each) { return std::string_view(each.value); };
  const auto same = [](const QueryParameter& a, const QueryParameter& b) { return a.name == b.name; };
  out += ",\"queryStringParameters\":";
  if (call.query.empty()) {
    out += empty;
  } else {
    append_single(out, call.query, name, value, same);
  }
  out += ",\"multiValueQueryStringParameters\":";
  if (call.query.empty()) {
    out += empty;
  } else {
    append_multiple(out, call.query, name, value, same);
  }
}

void append_path_parameters(std::string& out, const Call& call, std::string_view empty) {
  out += ",\"pathParameters\":";
  if (call.found.parameter_count == 0) {
    out += empty;
    return;
  }
  for (std::size_t i = 0; i < call.found.parameter_count; ++i) {
    out += i == 0 ? '{' : ',';
    base::append_json_string(out, (*call.parameter_names)[i]);
    out += ':';
    base::append_json_string(out, call.found.values[i]);
  }
  out += '}';
}

void append_stage_variables(std::string& out, const Call& call, std::string_view empty) {
  out += ",\"stageVariables\":";
  if (call.stage->variables.empty()) {
    out += empty;
    return;
  }
  char before = '{';
  for (const auto& [name, value] : call.stage->variables) {
    out += before;
    before = ',';
    base::append_json_string(out, name);
    out += ':';
    base::append_json_string(out, value);
  }
  out += '}';
}

void append_request_context(std::string& out, const Call& call, bool with_authorizer) {
  const auto& request = *call.request;
  out += ",\"requestContext\":{\"resourceId\":";
  base::append_json_string(out, call.resource->id);
  if (with_authorizer && call.principal) {
    out += ",\"authorizer\":{";
    out += call.principal->event_members;
    out += fmt::format(",\"integrationLatency\":{}}}", call.authorizer_milliseconds);
  }
  member(out, "resourcePath", call.resource->path);
  member(out, "httpMethod", request.method_name);
  member(out, "extendedRequestId", call.extended_request_id);
  member(out, "requestTime", common_log_time(call.time));
  member(out, "path", call.client_path);
  member(out, "accountId", call.api->account);
  member(out, "protocol", request.version_major == 1 && request.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  member(out, "stage", call.stage->name);
  member(out, "domainPrefix", call.domain_name.substr(0, call.domain_name.find('.')));
  const auto epoch = std::chrono::floor<std::chrono::milliseconds>(call.time).time_since_epoch().count();
  out += fmt::format(",\"requestTimeEpoch\":{}", epoch);
  member(out, "requestId", call.request_id);
  out +=
      ",\"identity\":{\"cognitoIdentityPoolId\":null,\"accountId\":null,\"cognitoIdentityId\":null,\"caller\":null,"
      "\"sourceIp\":";
  base::append_json_string(out, request.peer_address);
  out +=
      ",\"principalOrgId\":null,\"accessKey\":null,\"cognitoAuthenticationType\":null,"
      "\"cognitoAuthenticationProvider\":null,\"userArn\":null,\"userAgent\":";
  if (const auto agent = request.headers.get("User-Agent")) {
    base::append_json_string(out, *agent);
  } else {
    out += "null";
  }
  out += ",\"user\":null}";
  member(out, "domainName", call.domain_name);
  member(out, "deploymentId", call.stage->deployment_id);
  member(out, "apiId", call.api->id);
  out += '}';
}

std::size_t expected_bytes(const Call& call) {
  std::size_t bytes = 2048;
  for (const auto& field : call.request->headers.fields()) bytes += 2 * (field.name.size() + field.value.size() + 8);
  return bytes + 3 * call.request->target.size();
}

}  // namespace

std::string proxy_event(const Call& call, const EventBody& body) {
  std::string out;
  out.reserve(expected_bytes(call) + body.bytes.size() + body.bytes.size() / 2);
  out += "{\"resource\":";
  base::append_json_string(out, call.resource->path);
  member(out, "path", call.event_path);
  member(out, "httpMethod", call.request->method_name);
  append_headers(out, call);
  append_query(out, call, "null");
  append_path_parameters(out, call, "null");
  append_stage_variables(out, call, "null");
  append_request_context(out, call, true);
  out += ",\"body\":";
  if (!body.present) {
    out += "null";
  } else if (body.binary) {
    base::append_json_string(out, base::base64(body.bytes));
  } else {
    base::append_json_string(out, body.bytes);
  }
  out += body.present && body.binary ? ",\"isBase64Encoded\":true}" : ",\"isBase64Encoded\":false}";
  return out;
}

std::string method_arn(const Call& call) {
  const auto path = call.resource_path.empty() ? std::string_view() : call.resource_path.substr(1);
  return fmt::format("arn:aws:execute-api:{}:{}:{}/{}/{}/{}", call.api->region, call.api->account, call.api->id,
                     call.stage->name, call.request->method_name, path);
}

std::string token_event(const Call& call, std::string_view token) {
  std::string out = "{\"type\":\"TOKEN\"";
  member(out, "methodArn", method_arn(call));
  member(out, "authorizationToken", token);
  out += '}';
  return out;
}

std::string request_event(const Call& call) {
  std::string out;
  out.reserve(expected_bytes(call));
  out += "{\"type\":\"REQUEST\"";
  member(out, "methodArn", method_arn(call));
  member(out, "resource", call.resource->path);
  member(out, "path", call.event_path);
  member(out, "httpMethod", call.request->method_name);
  append_headers(out, call);
  append_query(out, call, "{}");
  append_path_parameters(out, call, "{}");
  append_stage_variables(out, call, "{}");
  append_request_context(out, call, false);
  out += '}';
  return out;
}

}  // namespace securebase::gateway
