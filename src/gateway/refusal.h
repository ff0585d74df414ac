// What the gateway itself answers when no integration does: status, body and x-amzn-ErrorType as API Gateway gives
// them, or as aws_api_gateway_gateway_response replaces them (Developer Guide, "Gateway response types").
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "gateway/call.h"
#include "gateway/config.h"
#include "net/http/message.h"

namespace securebase::gateway {

enum class Refusal {
  kMissingAuthenticationToken,    // no such resource or method
  kUnauthorized,                  // no or wrong credentials
  kAccessDenied,                  // the policy does not allow it
  kExplicitlyDenied,              // the policy forbids it
  kAuthorizerFailure,             // the authorizer failed
  kAuthorizerConfigurationError,  // the authorizer answered nonsense
  kInvalidateCacheDenied,         // Cache-Control: max-age=0 by who may not
  kThrottled,
  kBadRequest,
  kMissingParameters,
  kRequestTooLarge,
  kUnsupportedMediaType,
  kIntegrationFailure,  // a malformed or failed answer: 502
  kNetworkFailure,      // an upstream that cannot be reached, or speaks no HTTP: 504
  kIntegrationTimeout,  // 504
  kInternal,            // the integration cannot be called: 500
  kUnknownApi,          // no API, stage or mapping: 403
};

std::string_view response_type_of(Refusal refusal);  // "ACCESS_DENIED"

// `call` may be null or have no API yet: then nothing is replaced. `detail` completes the message where it has a place
// for it (kMissingParameters).
http::Response refuse(Refusal refusal, const Call* call, std::string_view detail = {});
// With Retry-After, and which limit it was.
http::Response refuse_throttled(const Call& call, std::chrono::seconds retry_after, std::string_view limit);

}  // namespace securebase::gateway
