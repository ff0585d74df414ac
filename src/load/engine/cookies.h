// Cookies of one virtual user (RFC 6265): by host and path, with Secure, Domain, Path, Max-Age and Expires.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/engine/exchange.h"

namespace securebase::load {

class CookieJar {
 public:
  static constexpr std::size_t kMost = 180;        // RFC 6265 §6.1 asks for 50 a domain; the oldest go first
  static constexpr std::size_t kMostBytes = 4096;  // of a name and a value

  // The Set-Cookie fields of an answer whose head was kept.
  void take(const Url& url, const Answer& answer);
  // One Set-Cookie value; what it says wrongly is ignored, as §5.2 has it.
  void take(const Url& url, std::string_view set_cookie);
  // Scripts set cookies of their own: sent to that host and everything below "/".
  void set(const Url& url, std::string_view name, std::string_view value);
  // "a=1; b=2"; "" for none.
  std::string field_for(const Url& url) const;
  void clear() { cookies_.clear(); }

  struct Cookie {
    std::string name;
    std::string value;
    std::string domain;
    std::string path;
    bool host_only = true;
    bool secure = false;
    std::optional<base::SteadyPoint> expires;
  };
  const std::vector<Cookie>& all() const { return cookies_; }

 private:
  void put(Cookie cookie);
  std::vector<Cookie> cookies_;
};

}  // namespace securebase::load
