// Header fields that API Gateway does not hand on under their names (Developer Guide, "Amazon API Gateway important
// notes for REST APIs", the table of headers).
#pragma once

#include <string_view>

#include "net/http/message.h"

namespace securebase::gateway {

// Of a request, towards functions and HTTP upstreams: framing, and what is between client and gateway alone.
bool is_dropped_from_request(std::string_view name);

// A field of an integration's answer, as clients see it: framing and connection are the server's and go; what is the
// gateway's own to say, or not for an integration to say to a browser, becomes x-amzn-Remapped-NAME.
void add_response_field(http::Headers& headers, std::string_view name, std::string_view value);

}  // namespace securebase::gateway
