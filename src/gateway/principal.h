// Who asks, as a Lambda authorizer named them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "gateway/policy.h"

namespace securebase::gateway {

// Immutable once made; shared between workers and requests.
struct Principal {
  std::string principal_id;
  Policy policy;
  std::vector<std::pair<std::string, std::string>> context;  // values as $context.authorizer gives them: text
  // Of the proxy event's requestContext.authorizer: "principalId":"42","tier":"standard" without braces.
  std::string event_members;
  // 32 hex digits over all of the above: callers share stored responses only if all of it is the same.
  std::string key;
  std::string usage_identifier_key;

  // From the authorizer's answer: {"principalId", "policyDocument", "context", "usageIdentifierKey"}. kMalformed is
  // what a client sees as 500. Limits: 64 KiB of payload, as much as the whole context and policy may reasonably need.
  static Result<Principal> parse(std::string_view payload);
};

}  // namespace securebase::gateway
