// What a function behind a proxy integration answers: {"statusCode", "headers", "multiValueHeaders", "body",
// "isBase64Encoded"} (API Gateway Developer Guide, "Output format of a Lambda function for proxy integration").
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http/message.h"

namespace securebase::gateway {

struct FunctionResponse {
  struct Limits {
    std::size_t payload_bytes = 10 << 20;  // beyond what a function may answer (6 MB)
    std::size_t header_fields = 200;
    std::size_t header_bytes = 10'240;  // API Gateway's own limit for all values of a response
  };

  int status = 200;
  http::Headers headers;  // under the names that clients see them by (fields.h)
  std::string body;       // as the function gave it: still base64 when `base64` says so
  bool base64 = false;

  // kMalformed is what a client sees as 502 {"message":"Internal server error"}.
  static Result<FunctionResponse> parse(std::string_view payload, const Limits& limits);
  static Result<FunctionResponse> parse(std::string_view payload) { return parse(payload, Limits()); }
};

}  // namespace securebase::gateway
