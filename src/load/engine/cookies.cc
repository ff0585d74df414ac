#include "load/engine/cookies.h"

#include <time.h>

#include <algorithm>
#include <charconv>

namespace securebase::load {

namespace {

using Clock = std::chrono::steady_clock;

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 6265 §5.1.3.
bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  const bool address = host.find_first_not_of("0123456789.:") == std::string_view::npos;
  return !address && host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

// §5.1.4.
bool path_matches(std::string_view path, std::string_view cookie_path) {
  if (path == cookie_path) return true;
  return path.starts_with(cookie_path) && (cookie_path.ends_with('/') || path[cookie_path.size()] == '/');
}

std::string_view path_of(const Url& url) { return std::string_view(url.target).substr(0, url.target.find('?')); }

std::string default_path(const Url& url) {
  const auto path = path_of(url);
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? "/" : std::string(path.substr(0, slash));
}

// How far from now; nullopt: not a date.
std::optional<std::chrono::seconds> until(std::string_view date) {
  const std::string text(date);
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%a, %d-%b-%Y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT"}) {
    tm parts{};
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end && *end == '\0') return std::chrono::seconds{::timegm(&parts) - ::time(nullptr)};
  }
  return std::nullopt;
}

constexpr std::chrono::seconds kLongest{std::chrono::hours{24 * 400}};

}  // namespace

void CookieJar::take(const Url& url, const Answer& answer) {
  if (answer.head.find("ookie:") == std::string::npos && answer.head.find("OOKIE:") == std::string::npos) return;
  for (const auto& [name, value] : answer.headers()) {
    if (lower_case(name) == "set-cookie") take(url, value);
  }
}

void CookieJar::take(const Url& url, std::string_view set_cookie) {
  if (set_cookie.size() > kMostBytes) return;
  const auto pair = set_cookie.substr(0, set_cookie.find(';'));
  const auto equals = pair.find('=');
  if (equals == std::string_view::npos || without_blanks(pair.substr(0, equals)).empty()) return;
  Cookie cookie;
  cookie.name = std::string(without_blanks(pair.substr(0, equals)));
  cookie.value = std::string(without_blanks(pair.substr(equals + 1)));
  cookie.domain = lower_case(url.origin.host);
  cookie.path = default_path(url);
  bool max_age = false;
  auto rest = set_cookie.substr(pair.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the ";"
    const auto attribute = rest.substr(0, rest.find(';'));
    rest.remove_prefix(attribute.size());
    const auto at = std::min(attribute.find('='), attribute.size());
    const auto name = lower_case(without_blanks(attribute.substr(0, at)));
    const auto value = at == attribute.size() ? std::string_view{} : without_blanks(attribute.substr(at + 1));
    if (name == "secure") {
      cookie.secure = true;
    } else if (name == "path" && value.starts_with('/')) {
      cookie.path = std::string(value);
    } else if (name == "domain" && !value.empty()) {
      auto domain = lower_case(value);
      if (domain.starts_with('.')) domain.erase(0, 1);
      if (!domain_matches(cookie.domain, domain) || domain.find('.') == std::string::npos) return;
      cookie.host_only = domain == lower_case(url.origin.host);
      cookie.domain = std::move(domain);
    } else if (name == "max-age") {
      std::int64_t seconds = 0;
      const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (failure != std::errc{} || end != value.data() + value.size()) continue;
      max_age = true;
      cookie.expires = Clock::now() + std::chrono::seconds{std::clamp<std::int64_t>(seconds, -1, kLongest.count())};
    } else if (name == "expires" && !max_age) {
      if (const auto left = until(value))
        cookie.expires = Clock::now() + std::clamp(*left, decltype(kLongest){-1}, kLongest);
    }
  }
  put(std::move(cookie));
}

void CookieJar::set(const Url& url, std::string_view name, std::string_view value) {
  put({std::string(name), std::string(value), lower_case(url.origin.host), "/", true, false, std::nullopt});
}

void CookieJar::put(Cookie cookie) {
  std::erase_if(cookies_, [&](const Cookie& old) {
    return old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path;
  });
  if (cookie.expires && *cookie.expires <= Clock::now()) return;
  if (cookies_.size() == kMost) cookies_.erase(cookies_.begin());
  cookies_.push_back(std::move(cookie));
}

std::string CookieJar::field_for(const Url& url) const {
  if (cookies_.empty()) return {};
  const auto host = lower_case(url.origin.host);
  const auto path = path_of(url);
  const auto now = Clock::now();
  std::vector<const Cookie*> fitting;
  for (const auto& cookie : cookies_) {
    const bool host_fits = cookie.host_only ? host == cookie.domain : domain_matches(host, cookie.domain);
    if (!host_fits || !path_matches(path, cookie.path) || (cookie.secure && !url.origin.tls)) continue;
    if (cookie.expires && *cookie.expires <= now) continue;
    fitting.push_back(&cookie);
  }
  // §5.4: longer paths first.
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const Cookie* a, const Cookie* b) { return a->path.size() > b->path.size(); });
  std::string field;
  for (const auto* cookie : fitting) {
    if (!field.empty()) field += "; ";
    field += cookie->name + "=" + cookie->value;
  }
  return field;
}

}  // namespace securebase::load
