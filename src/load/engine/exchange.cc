#include "load/engine/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace securebase::load {

namespace {

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    return lower(x) == lower(y);
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// RFC 9110 §7.6.1: a list of options.
bool says_close(std::string_view connection) {
  while (!connection.empty()) {
    const auto end = std::min(connection.find(','), connection.size());
    if (same_letters(trimmed(connection.substr(0, end)), "close")) return true;
    connection.remove_prefix(std::min(end + 1, connection.size()));
  }
  return false;
}

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

Error bad_url(std::string_view text, std::string_view why) {
  return Error{Errc::kMalformed, fmt::format("\"{}\" is not a URL that can be asked: {}", text, why)};
}

// Spaces and what is not ASCII are percent-encoded, as browsers and Node do; what is encoded already stays.
std::string encoded_target(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '<' || c == '>') {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

// "/a/../b" as "/b", RFC 3986 §5.2.4, of a path without query.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool directory = false;
  std::size_t at = 1;
  while (at <= path.size()) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto part = path.substr(at, end - at);
    directory = part.empty() || part == "." || part == "..";
    if (part == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (part != "." && !(part.empty() && end == path.size())) {
      kept.push_back(part);
    }
    at = end + 1;
  }
  std::string out;
  for (const auto part : kept) {
    out += '/';
    out += part;
  }
  if (directory || out.empty()) out += '/';
  return out;
}

Result<Origin> parse_authority(std::string_view text, std::string_view authority, bool tls) {
  Origin origin;
  origin.tls = tls;
  origin.port = tls ? 443 : 80;
  if (authority.find('@') != std::string_view::npos) {
    return bad_url(text, "a name and password belong into an Authorization field");
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return bad_url(text, "\"[\" without \"]\"");
    origin.host = std::string(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
  } else {
    const auto colon = authority.find(':');
    origin.host = std::string(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  if (origin.host.empty() || has_controls(origin.host) || origin.host.find(' ') != std::string::npos) {
    return bad_url(text, "it has no host");
  }
  if (port.size() <= 1 && (port.empty() || port == ":")) return origin;
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
  if (port[0] != ':' || failure != std::errc{} || end != port.data() + port.size() || number == 0 || number > 65'535) {
    return bad_url(text, "a port is 1 to 65535");
  }
  origin.port = static_cast<std::uint16_t>(number);
  return origin;
}

}  // namespace

std::string Origin::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  std::string out = v6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad_url(text, "it begins with http:// or https://");
  const auto scheme = text.substr(0, scheme_end);
  const bool tls = same_letters(scheme, "https");
  if (!tls && !same_letters(scheme, "http")) return bad_url(text, "only http:// and https:// are spoken");
  const auto rest = text.substr(scheme_end + 3);
  const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  auto origin = parse_authority(text, rest.substr(0, authority_end), tls);
  if (!origin) return origin.error();
  auto target = rest.substr(authority_end);
  target = target.substr(0, target.find('#'));
  Url url{std::move(*origin), encoded_target(target)};
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  return url;
}

// RFC 3986 §5.2.2.
Result<Url> resolve_url(const Url& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const auto colon = reference.find(':');
  const auto slash = reference.find_first_of("/?");
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon < slash))
    return parse_url(reference);
  if (reference.starts_with("//"))
    return parse_url(std::string(base.origin.tls ? "https:" : "http:") + std::string(reference));
  Url url{base.origin, {}};
  const auto base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  if (reference.empty()) {
    url.target = base.target;
  } else if (reference.starts_with('?')) {
    url.target = std::string(base_path) + encoded_target(reference);
  } else {
    const auto query = std::min(reference.find('?'), reference.size());
    auto path = std::string(reference.substr(0, query));
    if (!path.starts_with('/')) path = std::string(base_path.substr(0, base_path.rfind('/') + 1)) + path;
    url.target = without_dots(encoded_target(path)) + encoded_target(reference.substr(query));
  }
  return url;
}

Result<Request> make_request(std::string_view method, const Url& url, const HeaderList& headers, std::string body) {
  if (!is_token(method)) return Error{Errc::kMalformed, fmt::format("\"{}\" is not a method", method)};
  Request request;
  request.origin = url.origin;
  request.is_head = method == "HEAD";
  request.head = fmt::format("{} {} HTTP/1.1\r\n", method, url.target);
  bool host = false;
  bool agent = false;
  bool accept = false;
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || has_controls(value)) {
      return Error{Errc::kMalformed, fmt::format("the field \"{}\" has characters that a field may not have", name)};
    }
    if (same_letters(name, "transfer-encoding")) {
      return Error{Errc::kUnsupported, "Transfer-Encoding is not sent: bodies have a length"};
    }
    if (same_letters(name, "content-length")) continue;  // ours, below
    host = host || same_letters(name, "host");
    agent = agent || same_letters(name, "user-agent");
    accept = accept || same_letters(name, "accept");
    request.closes = request.closes || (same_letters(name, "connection") && says_close(value));
    request.head += fmt::format("{}: {}\r\n", name, trimmed(value));
  }
  if (!host) request.head += fmt::format("Host: {}\r\n", url.origin.authority());
  if (!agent) request.head += "User-Agent: securebase-load\r\n";
  if (!accept) request.head += "Accept: */*\r\n";
  const bool expected = method == "POST" || method == "PUT" || method == "PATCH";
  if (!body.empty() || expected) request.head += fmt::format("Content-Length: {}\r\n", body.size());
  request.head += "\r\n";
  request.body = std::move(body);
  return request;
}

HeaderList Answer::headers() const {
  HeaderList list;
  std::string_view rest = head;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    list.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return list;
}

std::optional<std::string_view> Answer::header(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && same_letters(line.substr(0, colon), name))
      return trimmed(line.substr(colon + 1));
  }
  return std::nullopt;
}

}  // namespace securebase::load
