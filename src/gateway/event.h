// The events that functions are called with (API Gateway Developer Guide, "Input format of a Lambda function for proxy
// integration" and "Input to an API Gateway Lambda authorizer"), written in one pass into one string.
#pragma once

#include <string>
#include <string_view>

#include "gateway/call.h"

namespace securebase::gateway {

// Version 1.0, as REST APIs send it. `body`: null when there is none; else as it came, in base64 when `binary`.
struct EventBody {
  bool present = false;
  bool binary = false;
  std::string_view bytes;
};
std::string proxy_event(const Call& call, const EventBody& body);

// arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}: what policies are written about.
std::string method_arn(const Call& call);

// {"type":"TOKEN","methodArn":...,"authorizationToken":...}
std::string token_event(const Call& call, std::string_view token);
// {"type":"REQUEST","methodArn":...,"resource":...,...}: the proxy event without body and with what identified.
std::string request_event(const Call& call);

}  // namespace securebase::gateway
