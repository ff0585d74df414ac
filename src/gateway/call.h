// One request on its way through the gateway: what was found out about it, once, for events, cache keys, mappings and
// log lines. Lives in the frame of the coroutine that answers; views point into the request and the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "gateway/config.h"
#include "gateway/routes.h"
#include "net/http/message.h"

namespace securebase::gateway {

struct Principal;

// The query of a URL: '+' and escapes undone, in the order of the request. An escape that is none stays as it is.
struct QueryParameter {
  std::string name;
  std::string value;
};
std::vector<QueryParameter> read_query(std::string_view query);

struct Call {
  const http::Request* request = nullptr;
  const Api* api = nullptr;
  const Stage* stage = nullptr;
  const Resource* resource = nullptr;
  const Method* method = nullptr;
  const std::vector<std::string>* parameter_names = nullptr;  // of the resource's path
  Routes::Found found;

  std::string_view resource_path;  // the normal path behind stage or base path, as resources match it
  std::string_view client_path;    // the normal path that the client asked for, stage or base path included
  std::string_view event_path;     // what functions see: with the base path of a domain, without an execute-api stage
  std::string_view domain_name;    // the host
  std::vector<QueryParameter> query;

  std::string request_id;           // a UUID
  std::string extended_request_id;  // x-amz-apigw-id
  base::TimePoint time;
  const Principal* principal = nullptr;
  std::uint32_t authorizer_milliseconds = 0;

  std::string_view path_value(std::string_view name) const;     // escapes kept; "" when there is none
  const std::string* query_value(std::string_view name) const;  // the last one; null: none
  std::string trace_header() const;  // X-Amzn-Trace-Id, of the trace that the request is part of; or ""
};

// "24/Nov/2026:07:24:06 +0000": $context.requestTime.
std::string common_log_time(base::TimePoint time);
// A `context.` variable (API Gateway Developer Guide, "$context variables"); nullopt: not known of this call.
std::optional<std::string> context_value(const Call& call, std::string_view name);
// What a parameter is in this call; nullopt: not there, or empty.
std::optional<std::string> value_of(const Call& call, const Parameter& parameter);

// Ids that tell requests apart and protect nothing: from a generator of the calling thread's own.
std::string new_request_id();
std::string new_extended_request_id();

}  // namespace securebase::gateway
