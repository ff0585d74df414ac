// The answer of a function behind API Gateway's Lambda proxy integration.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace securebase::lambda {

struct ApiResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // JSON, or empty

  // {"statusCode":...,"headers":{...},"body":"...","isBase64Encoded":false}
  std::string encode() const;
};

// A JSON body that no cache keeps.
ApiResponse uncached(int status, std::string body);
// {"message": ...}
ApiResponse message(int status, std::string_view text);
// What the caller of the API sees of an error. Reasons that are not the caller's business stay in the log.
ApiResponse response_for(const Error& error);

}  // namespace securebase::lambda
