// How long a response may be kept, and how old it is: RFC 9111, and CloudFront's minimum, default and maximum TTL
// (CloudFront developer guide, "Manage how long content stays in the cache"). Every rule of storing stands here and
// nowhere else. Values and functions, no threads.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "net/http/message.h"

namespace securebase::store {

using std::chrono::seconds;

// RFC 9111 §1.2.2: what is larger than can be held counts as this.
inline constexpr seconds kLongest{2'147'483'648};

// Directives of all Cache-Control lines together. One that comes twice with different arguments takes the smaller, one
// whose argument is no number counts as 0: both err to the stale side (RFC 9111 §4.2.1). The qualified forms
// private="..." and no-cache="..." count as the unqualified ones.
struct CacheControl {
  std::optional<seconds> max_age;
  std::optional<seconds> s_maxage;
  std::optional<seconds> stale_while_revalidate;  // RFC 5861
  std::optional<seconds> stale_if_error;
  std::optional<seconds> max_stale;  // of requests; kLongest without an argument
  std::optional<seconds> min_fresh;  // of requests
  bool no_store = false;
  bool no_cache = false;
  bool is_private = false;
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool immutable = false;
  bool only_if_cached = false;
};
CacheControl parse_cache_control(const http::Headers& headers);
// One line's directives, added to `into`.
void parse_cache_control(std::string_view line, CacheControl& into);

// A time in one of HTTP's three date forms (RFC 9110 §5.6.7).
std::optional<base::TimePoint> parse_http_date(std::string_view text);

// The larger of what Age says and what Date implies (RFC 9111 §4.2.3), counted at the moment the response arrived;
// `travel` is how long the fetch took. Never negative.
seconds age_on_arrival(const http::Headers& headers, base::TimePoint now, std::chrono::nanoseconds travel);

// Of a cache behaviour or a cache policy. The legacy behaviour without Cache-Control at all takes `standard`.
struct Ttl {
  seconds minimum{0};
  seconds standard{86'400};
  seconds maximum{31'536'000};
};

// Who may be given the stored response.
enum class Audience {
  kEverybody,  // the key has no caller in it
  kPrincipal,  // the key names the caller, so that only they get it again
};

struct Freshness {
  bool storable = false;
  // From the moment of arrival. 0: stored, but to be revalidated before every use.
  seconds remaining{0};
  // How long beyond it a stale one may be served, while a refresh runs and when the origin fails.
  seconds stale_while_revalidate{0};
  seconds stale_if_error{0};
  bool must_revalidate = false;
  // A stale one is of some use: it has a validator, or may be served stale.
  bool worth_keeping = false;
};

struct Judged {
  int status = 200;
  const http::Headers& headers;
  bool request_authorization = false;  // the request had Authorization and it is not in the key
  Audience audience = Audience::kEverybody;
  seconds age{0};  // as age_on_arrival()
};
// May this answer to GET be stored, and for how long. Errors (status 400 and above) are judged as CloudFront judges
// them: kept for `error_minimum` at least, for longer if Cache-Control says so, and only those that CloudFront keeps.
Freshness judge(const Judged& response, const Ttl& ttl, seconds error_minimum, base::TimePoint now);

// May a stored response that is `age` old and has `remaining` (maybe negative) left answer a request with these
// directives without asking the origin (RFC 9111 §5.2.1)? CloudFront does not look at them; neither do we, save where
// an operator says so.
bool request_accepts(const CacheControl& request, seconds age, seconds remaining);

// If-None-Match by weak comparison, else If-Modified-Since (RFC 9110 §13.2.2): is the answer 304?
bool not_modified(const http::Headers& request, std::string_view etag, std::string_view last_modified);

}  // namespace securebase::store
