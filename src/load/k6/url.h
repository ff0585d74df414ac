// URLs of requests: http and https only, cut into what a request needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::k6 {

struct Url {
  bool tls = false;
  std::string host;  // lower case, without the brackets of an IPv6 address
  std::uint16_t port = 0;
  std::string authority;  // as the Host field has it
  std::string origin;     // "https://" and the authority: connections are kept by it
  std::string target;     // path and query; what may not stand there is percent-encoded
  std::string user;       // of user:password@, decoded
  std::string password;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string text() const;  // without user and password
};

// At most 64 KiB.
Result<Url> parse_url(std::string_view text);
// "api.example.com", "*.example.com" or "*", as options name hosts; whatever the case of its letters.
bool host_matches(std::string_view pattern, std::string_view host);
// Whether it is the host itself or a name below it: api.example.com below example.com. Addresses have none below them.
bool is_or_is_below(std::string_view host, std::string_view above);
// RFC 3986 §5: what `reference` (of a Location field) is, seen from `base`.
Result<Url> resolve(const Url& base, std::string_view reference);

}  // namespace securebase::k6
