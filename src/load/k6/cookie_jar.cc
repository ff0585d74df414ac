#include "k6/cookie_jar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <limits>

#include "net/http/syntax.h"

namespace securebase::k6 {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

bool is_address(std::string_view host) {
  return host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// RFC 6265 §5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  return host.size() > domain.size() && host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' &&
         !is_address(host);
}

// RFC 6265 §5.1.4.
bool path_matches(std::string_view path, std::string_view cookie) {
  if (path == cookie) return true;
  return path.starts_with(cookie) && (cookie.ends_with('/') || path[cookie.size()] == '/');
}

std::string default_path(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

bool applies(const Cookie& cookie, const Url& url) {
  if (cookie.host_only ? cookie.domain != url.host : !domain_matches(url.host, cookie.domain)) return false;
  return (!cookie.secure || url.tls) && path_matches(url.path(), cookie.path);
}

}  // namespace

std::optional<base::TimePoint> parse_cookie_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                               "jul", "aug", "sep", "oct", "nov", "dec"};
  int hour = -1, minute = 0, second = 0, day = -1, month = -1, year = -1;
  const auto number = [](std::string_view digits, int& into) {
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return failure == std::errc{} && end == digits.data() + digits.size();
  };
  if (text.size() > 200) return std::nullopt;
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(" ,-\t");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const auto token = text.substr(0, text.find_first_of(" ,-\t"));
    text.remove_prefix(token.size());
    const auto colon = token.find(':');
    const auto second_colon = colon == std::string_view::npos ? colon : token.find(':', colon + 1);
    int value = 0;
    if (hour < 0 && second_colon != std::string_view::npos) {
      if (!number(token.substr(0, colon), hour) || !number(token.substr(colon + 1, second_colon - colon - 1), minute) ||
          !number(token.substr(second_colon + 1), second)) {
        return std::nullopt;
      }
    } else if (number(token, value)) {
      if (day < 0 && token.size() <= 2) {
        day = value;
      } else if (year < 0) {
        year = value < 70 ? value + 2000 : value < 100 ? value + 1900 : value;
      }
    } else if (month < 0 && token.size() >= 3) {
      const auto found = std::find(kMonths.begin(), kMonths.end(), lowered(token.substr(0, 3)));
      if (found != kMonths.end()) month = static_cast<int>(found - kMonths.begin()) + 1;
    }
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || month < 0 || year < 1601 ||
      year > 9999) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(std::max(day, 0))}};
  if (!date.ok()) return std::nullopt;
  return base::TimePoint{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

std::optional<Cookie> parse_set_cookie(const Url& url, std::string_view field, base::TimePoint now) {
  // A line's end in it would become one of the request that carries it (RFC 6265bis §5.6).
  if (field.size() > CookieJar::kMostBytes || !http::is_field_value(field)) return std::nullopt;
  const auto semicolon = field.find(';');
  const auto pair = field.substr(0, semicolon);
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Cookie cookie;
  cookie.name = std::string(trimmed(pair.substr(0, equals)));
  cookie.value = std::string(trimmed(pair.substr(equals + 1)));
  if (cookie.value.size() >= 2 && cookie.value.front() == '"' && cookie.value.back() == '"') {
    cookie.value = cookie.value.substr(1, cookie.value.size() - 2);
  }
  if (cookie.name.empty()) return std::nullopt;
  cookie.domain = url.host;
  cookie.path = default_path(url.path());
  auto rest = semicolon == std::string_view::npos ? std::string_view{} : field.substr(semicolon + 1);
  while (!rest.empty()) {
    const auto next = rest.find(';');
    const auto part = trimmed(rest.substr(0, next));
    rest = next == std::string_view::npos ? std::string_view{} : rest.substr(next + 1);
    const auto mark = part.find('=');
    const std::string name = lowered(trimmed(part.substr(0, mark)));
    const auto value = mark == std::string_view::npos ? std::string_view{} : trimmed(part.substr(mark + 1));
    if (name == "secure") {
      cookie.secure = true;
    } else if (name == "httponly") {
      cookie.http_only = true;
    } else if (name == "path") {
      cookie.path = value.starts_with('/') ? std::string(value) : default_path(url.path());
    } else if (name == "domain" && !value.empty()) {
      std::string domain = lowered(value.starts_with('.') ? value.substr(1) : value);
      if (!domain_matches(url.host, domain)) return std::nullopt;
      // A host sets cookies neither for a whole top-level domain nor for other addresses.
      if (domain != url.host && domain.find('.') == std::string::npos) return std::nullopt;
      cookie.host_only = is_address(url.host);
      cookie.domain = std::move(domain);
    } else if (name == "max-age") {
      std::int64_t seconds = 0;
      const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (end != value.data() + value.size() || value.empty()) continue;
      if (failure == std::errc::result_out_of_range) {
        seconds = value.starts_with('-') ? -1 : std::numeric_limits<std::int64_t>::max();
      } else if (failure != std::errc{}) {
        continue;
      }
      cookie.max_age = seconds;
      cookie.expires = now + std::chrono::seconds{std::clamp<std::int64_t>(seconds, -1, 400LL * 86'400)};
    } else if (name == "expires" && !cookie.max_age) {
      if (const auto date = parse_cookie_date(value)) cookie.expires = *date;
    }
  }
  return cookie;
}

void CookieJar::put(Cookie cookie, base::TimePoint now) {
  const auto same = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& old) {
    return old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path;
  });
  const bool expired = cookie.expires && *cookie.expires <= now;
  if (same != cookies_.end() && expired) cookies_.erase(same);
  if (expired) return;
  if (same != cookies_.end()) {
    *same = std::move(cookie);  // in its place: it is as old as the first of that name (RFC 6265 §5.3, 11.3)
    return;
  }
  if (cookies_.size() >= kMost) cookies_.erase(cookies_.begin());
  cookies_.push_back(std::move(cookie));
}

std::vector<const Cookie*> CookieJar::for_url(const Url& url, base::TimePoint now) const {
  std::vector<const Cookie*> found;
  for (const auto& cookie : cookies_) {
    if (applies(cookie, url) && (!cookie.expires || *cookie.expires > now)) found.push_back(&cookie);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Cookie* a, const Cookie* b) { return a->path.size() > b->path.size(); });
  return found;
}

void CookieJar::erase(const Url& url, std::string_view name) {
  std::erase_if(cookies_, [&](const Cookie& cookie) { return cookie.name == name && applies(cookie, url); });
}

void CookieJar::clear(const Url& url) {
  std::erase_if(cookies_, [&](const Cookie& cookie) { return applies(cookie, url); });
}

}  // namespace securebase::k6
