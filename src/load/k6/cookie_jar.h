// Cookies of one virtual user (RFC 6265). Values, not shared between threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "k6/url.h"

namespace securebase::k6 {

struct Cookie {
  std::string name;
  std::string value;
  std::string domain;  // lower case; of a host-only cookie the host
  std::string path = "/";
  bool host_only = true;
  bool secure = false;
  bool http_only = false;
  std::optional<std::int64_t> max_age;     // as it was said
  std::optional<base::TimePoint> expires;  // from Max-Age or Expires
};

// A Set-Cookie field's value, as an answer of `url` gave it; nullopt: not a cookie, or not for this host.
std::optional<Cookie> parse_set_cookie(const Url& url, std::string_view field, base::TimePoint now);

// "Wed, 21 Oct 2015 07:28:00 GMT" and the old forms (RFC 6265 §5.1.1).
std::optional<base::TimePoint> parse_cookie_date(std::string_view text);

class CookieJar {
 public:
  static constexpr std::size_t kMost = 1000;       // the oldest go first
  static constexpr std::size_t kMostBytes = 8192;  // of one cookie

  void put(Cookie cookie, base::TimePoint now);
  // Those that a request to `url` carries, longest path first.
  std::vector<const Cookie*> for_url(const Url& url, base::TimePoint now) const;
  void erase(const Url& url, std::string_view name);
  void clear(const Url& url);
  void clear() { cookies_.clear(); }
  bool empty() const { return cookies_.empty(); }

 private:
  std::vector<Cookie> cookies_;
};

}  // namespace securebase::k6
