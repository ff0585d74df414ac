// Reads the HTTP/1.1 responses of the Lambda Runtime API: a status line, headers, and a body of Content-Length bytes.
// Strict and small: the Runtime API sends neither chunks nor interim responses, so both are errors here.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace securebase::lambda {

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // Empty if there is none.
  std::string_view header(std::string_view lower_case_name) const;
};

struct HttpLimits {
  std::size_t head_bytes = 64 << 10;  // Lambda-Runtime-Client-Context may hold some kilobytes
  std::size_t headers = 100;
  std::size_t body_bytes = 8 << 20;  // Lambda's payload is at most 6 MB
};

// Takes one response from the front of `buffer`. nullopt: more bytes are needed. After an error: close.
Result<std::optional<HttpResponse>> take_response(std::string& buffer, const HttpLimits& limits = {});

}  // namespace securebase::lambda
