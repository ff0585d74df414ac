#include "net/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/encoding.h"

namespace securebase::http {

namespace {

constexpr std::size_t kHostBytes = 253;  // RFC 1035 §2.3.4, as text
constexpr std::size_t kShownBytes = 200;

Error bad_url(std::string text) { return {Errc::kMalformed, std::move(text)}; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

bool is_url_host(std::string_view host) {
  return !host.empty() && host.size() <= kHostBytes && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':';
  });
}

// "host", "host:1", "[::1]:1" into host and port, which keeps its value when there is none.
Result<Done> split_authority(std::string_view authority, Url& url) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return bad_url("the URL's IPv6 address has no ']'");
    url.host = lower_case(authority.substr(1, end - 1));
    rest = authority.substr(end + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    url.host = lower_case(authority.substr(0, colon));
    rest = authority.substr(colon);
  }
  if (!is_url_host(url.host)) return bad_url("the URL has no host that a name can be looked up for");
  if (rest.empty()) return Done{};
  const auto* end = rest.data() + rest.size();
  const auto [stopped, failure] = std::from_chars(rest.data() + 1, end, url.port);
  if (rest[0] != ':' || failure != std::errc{} || stopped != end || url.port == 0) {
    return bad_url(fmt::format("\":PORT\" is expected behind the URL's host, got \"{}\"", rest.substr(0, 40)));
  }
  return Done{};
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::origin() const { return (tls ? "https://" : "http://") + authority(); }

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kUrlBytes) return bad_url(fmt::format("a URL has at most {} characters", kUrlBytes));
  if (std::ranges::any_of(text, [](char c) { return (c >= 0 && c <= 0x20) || c == 0x7f; })) {
    return bad_url("a URL holds no blanks and no control characters");
  }
  Url url;
  const auto scheme_end = std::min(text.find("://"), text.size());
  const auto scheme = lower_case(text.substr(0, scheme_end));
  if (scheme_end == text.size() || (scheme != "http" && scheme != "https")) {
    return bad_url(fmt::format("expected an http:// or https:// URL, got \"{}\"", text.substr(0, kShownBytes)));
  }
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(scheme_end + 3);
  if (text.find('#') != std::string_view::npos) return bad_url("a URL to send to has no fragment");
  const auto path = std::min(text.find_first_of("/?"), text.size());
  auto authority = text.substr(0, path);
  if (path < text.size()) url.target = (text[path] == '?' ? "/" : "") + std::string(text.substr(path));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    auto decoded = base::percent_decode(authority.substr(0, at));
    if (!decoded) return bad_url("the user of the URL is not percent-encoded");
    url.user_info = std::move(*decoded);
    authority.remove_prefix(at + 1);
  }
  if (auto split = split_authority(authority, url); !split) return split.error();
  return url;
}

}  // namespace securebase::http
