// Absolute http and https URLs (RFC 3986), as they stand in settings and subscriptions, taken apart for a client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/stream.h"

namespace securebase::http {

inline constexpr std::size_t kUrlBytes = 2048;

struct Url {
  bool tls = false;
  std::string user_info;  // "user:password", decoded; empty: none
  std::string host;       // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string target = "/";  // path and query

  std::string authority() const;  // for Host: the port stands in it where it is not the scheme's own
  net::Address address() const { return {host, port}; }
  std::string origin() const;  // "https://host:8443"
};

// kMalformed says what is wrong: blanks or control characters, a fragment, another scheme, a host that no name can be
// looked up for, a port that is none, more than kUrlBytes.
Result<Url> parse_url(std::string_view text);

}  // namespace securebase::http
