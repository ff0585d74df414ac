// What a request says of its signature: the Authorization header, or the X-Amz-* parameters of a presigned URL.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/form.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http/message.h"

namespace securebase::aws {

struct Authorization {
  std::string access_key_id;
  std::string date;  // "20261124": the scope's
  std::string region;
  std::string service;                      // signing name
  std::vector<std::string> signed_headers;  // lower case, in the order in which they were named
  std::string signature;                    // 64 hex digits
  std::string time;                         // "20261124T065725Z"
  std::string security_token;
  bool presigned = false;
  std::chrono::seconds expires{0};  // presigned only

  base::TimePoint signed_at;
  std::string scope() const { return date + "/" + region + "/" + service + "/aws4_request"; }
};

// nullopt: not signed. An error: signed, but not so that it could be checked; it says what is missing.
Result<std::optional<Authorization>> parse_authorization(const http::Request& request,
                                                         const std::vector<Parameter>& query);

// The header's value alone, without time and token.
Result<Authorization> parse_authorization_header(std::string_view value);

}  // namespace securebase::aws
