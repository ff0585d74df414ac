#include "k6/url.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "base/encoding.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostUrlBytes = 64 << 10;

Error bad_url(std::string_view text, std::string_view why) {
  return Error{Errc::kMalformed, fmt::format("'{}' is not a URL that can be requested: {}", text.substr(0, 200), why)};
}

bool may_stand_in_target(unsigned char c) {
  return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' && c != '`' && c != '{' &&
         c != '|' && c != '}';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

Result<Done> take_authority(std::string_view authority, std::string_view whole, Url& url) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto credentials = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const auto colon = credentials.find(':');
    url.user = base::percent_decode(credentials.substr(0, colon)).value_or("");
    if (colon != std::string_view::npos)
      url.password = base::percent_decode(credentials.substr(colon + 1)).value_or("");
  }
  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad_url(whole, "the address in brackets has no end");
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') return bad_url(whole, "expected a port behind the address");
    if (!port.empty()) port.remove_prefix(1);
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (host.empty()) return bad_url(whole, "it has no host");
  for (const char c : host) {
    const auto u = static_cast<unsigned char>(c);
    const bool good = (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '-' ||
                      u == '.' || u == '_' || (u == ':' && authority.starts_with('['));
    if (!good) return bad_url(whole, "its host has a character that no host name has");
  }
  url.host = lower(host);
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    unsigned number = 0;
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (failure != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65'535) {
      return bad_url(whole, "its port is not a number from 1 to 65535");
    }
    url.port = static_cast<std::uint16_t>(number);
  }
  const bool usual = url.port == (url.tls ? 443 : 80);
  const std::string name = authority.starts_with('[') ? fmt::format("[{}]", url.host) : url.host;
  url.authority = usual ? name : fmt::format("{}:{}", name, url.port);
  url.origin = (url.tls ? "https://" : "http://") + url.authority;
  return Done{};
}

std::string encoded_target(std::string_view target) {
  std::string out;
  out.reserve(target.size() + 1);
  if (!target.starts_with('/')) out += '/';
  for (const char c : target) {
    if (c == '#') break;
    const auto u = static_cast<unsigned char>(c);
    if (may_stand_in_target(u)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", u);
    }
  }
  return out;
}

// RFC 3986 §5.2.4.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool trailing = false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
    trailing = false;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
      trailing = true;
    } else if (segment == ".") {
      trailing = true;
    } else {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const auto segment : kept) {
    out += '/';
    out += segment;
  }
  if (trailing || out.empty()) out += '/';
  return out;
}

}  // namespace

bool host_matches(std::string_view pattern, std::string_view host) {
  if (pattern == "*") return true;
  const std::string wanted = lower(pattern);
  if (wanted.starts_with("*.")) return host.size() > wanted.size() - 1 && host.ends_with(wanted.substr(1));
  return wanted == host;
}

std::string Url::text() const { return origin + target; }

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMostUrlBytes) return bad_url(text, "it is longer than 64 KiB");
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t')) text.remove_suffix(1);
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return bad_url(text, "expected it to begin with http:// or https://");
  const std::string scheme = lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") {
    return bad_url(text, fmt::format("unsupported scheme '{}': expected http or https", scheme.substr(0, 20)));
  }
  Url url;
  url.tls = scheme == "https";
  const auto rest = text.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  if (auto taken = take_authority(rest.substr(0, end), text, url); !taken) return taken.error();
  url.target = encoded_target(rest.substr(end));
  return url;
}

bool is_or_is_below(std::string_view host, std::string_view above) {
  if (host == above) return true;
  const bool address =
      host.find(':') != std::string_view::npos || host.find_first_not_of("0123456789.") == std::string_view::npos;
  return !address && !above.empty() && host.size() > above.size() && host.ends_with(above) &&
         host[host.size() - above.size() - 1] == '.';
}

Result<Url> resolve(const Url& base, std::string_view reference) {
  if (reference.size() > kMostUrlBytes) return bad_url(reference, "it is longer than 64 KiB");
  const auto first = reference.find_first_of(":/?#");
  if (first != std::string_view::npos && reference[first] == ':' && reference.substr(first).starts_with("://")) {
    return parse_url(reference);
  }
  if (reference.starts_with("//")) return parse_url(fmt::format("{}:{}", base.tls ? "https" : "http", reference));
  Url url = base;
  const auto hash = reference.find('#');
  reference = reference.substr(0, hash);
  if (reference.empty()) return url;
  std::string target;
  if (reference.starts_with('?')) {
    target = std::string(base.path()) + std::string(reference);
  } else {
    const auto query = std::min(reference.find('?'), reference.size());
    std::string path;
    if (reference.starts_with('/')) {
      path = std::string(reference.substr(0, query));
    } else {
      const auto directory = base.path().substr(0, base.path().rfind('/') + 1);
      path = std::string(directory) + std::string(reference.substr(0, query));
    }
    target = without_dots(path) + std::string(reference.substr(query));
  }
  url.target = encoded_target(target);
  return url;
}

}  // namespace securebase::k6
