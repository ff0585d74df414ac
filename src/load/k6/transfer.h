// One call of the script's http: a request with its redirects and its digest handshake, as far as it goes. Each hop is
// a request of its own on the wire and in the metrics.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "k6/cookie_jar.h"
#include "k6/http_client.h"
#include "k6/metrics.h"

namespace securebase::k6 {

struct Transfer {
  enum class Body { kText, kBinary, kNone };
  struct CookieArgument {
    std::string name;
    std::string value;
    bool replace;
  };

  std::string method;
  std::string name;  // the tag; empty: the URL
  std::string body;
  bool has_body = false;
  Fields fields;
  TagList tags;  // of the call
  std::vector<CookieArgument> cookies;
  std::size_t jar = 0;
  std::chrono::nanoseconds timeout{};
  std::int64_t redirects_left = 10;
  Body response_type = Body::kText;
  int expected = 0;  // a set of statuses; -1: nothing is expected, nothing fails
  std::string auth;

  // As it goes on.
  std::shared_ptr<const Url> url;  // none: it could not be read
  std::string first_host;          // that was asked, once a redirect led on
  bool redirected = false;
  bool digest_answered = false;
  std::string authorization;  // of a digest
  HttpResponse response;      // the latest
};

}  // namespace securebase::k6
