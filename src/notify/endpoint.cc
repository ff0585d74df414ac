#include "notify/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace securebase::notify {

namespace {

struct ProtocolName {
  std::string_view name;
  Protocol protocol;
};
constexpr ProtocolName kProtocols[] = {{"http", Protocol::kHttp},
                                       {"https", Protocol::kHttps},
                                       {"email", Protocol::kEmail},
                                       {"email-json", Protocol::kEmailJson},
                                       {"lambda", Protocol::kLambda}};

constexpr std::size_t kEndpointBytes = 2048;
constexpr std::size_t kAddressBytes = 254;  // RFC 5321 §4.5.3.1.3, without its brackets

Error bad_endpoint(std::string text) { return {Errc::kMalformed, std::move(text)}; }

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c != 0x7f; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':';
  });
}

// Dot-atom or what UTF-8 mail allows in its place (RFC 6531), "@", a domain.
bool is_mail_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || at + 1 == address.size()) return false;
  const auto local = address.substr(0, at);
  const auto domain = address.substr(at + 1);
  const auto no = [](char c) {
    return c <= 0x20 || c == 0x7f || std::string_view("()<>[]:;@\\,\"").find(c) != std::string_view::npos;
  };
  const auto ok = [&](char c) { return static_cast<unsigned char>(c) >= 0x80 || !no(c); };
  const bool dots = local.front() != '.' && local.back() != '.' && local.find("..") == std::string_view::npos &&
                    domain.front() != '.' && domain.back() != '.' && domain.find("..") == std::string_view::npos;
  return dots && address.size() <= kAddressBytes && std::all_of(local.begin(), local.end(), ok) &&
         std::all_of(domain.begin(), domain.end(), ok);
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= 128 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  for (const auto& one : kProtocols) {
    if (one.protocol == protocol) return one.name;
  }
  return "";
}

Result<Protocol> protocol_from(std::string_view name) {
  for (const auto& one : kProtocols) {
    if (one.name == name) return one.protocol;
  }
  if (name == "sqs" || name == "sms" || name == "application" || name == "firehose") {
    return Error{
        Errc::kUnsupported,
        fmt::format("Protocol \"{}\" is not done by SecureBase, which has no such service: it delivers by email, "
                    "email-json, http, https and lambda",
                    name)};
  }
  return bad_endpoint(fmt::format("Protocol: expected http, https, email, email-json or lambda, got \"{}\"", name));
}

std::string_view to_string(Format format) {
  return format == Format::kSlack ? "slack" : format == Format::kPagerDuty ? "pagerduty" : "sns";
}

std::optional<Format> format_from(std::string_view name) {
  for (const auto format : {Format::kSns, Format::kSlack, Format::kPagerDuty}) {
    if (to_string(format) == name) return format;
  }
  return std::nullopt;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Result<Url> parse_url(std::string_view text) {
  const auto whole = text;
  Url url;
  if (text.size() > kEndpointBytes) return bad_endpoint(fmt::format("a URL has at most {} characters", kEndpointBytes));
  if (!is_visible(text)) return bad_endpoint("a URL holds no blanks and no control characters");
  const auto scheme_end = text.find("://");
  const auto scheme = lower(text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end));
  if (scheme != "http" && scheme != "https")
    return bad_endpoint(fmt::format("expected an http:// or https:// URL, got \"{}\"", whole));
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(scheme_end + 3);
  if (text.find('#') != std::string_view::npos) return bad_endpoint("a URL to post to has no fragment");
  const auto path = text.find_first_of("/?");
  auto authority = text.substr(0, path);
  if (path != std::string_view::npos) url.target = (text[path] == '?' ? "/" : "") + std::string(text.substr(path));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    auto decoded = base::percent_decode(authority.substr(0, at));
    if (!decoded) return bad_endpoint("the user of the URL is not percent-encoded");
    url.user_info = std::move(*decoded);
    authority.remove_prefix(at + 1);
  }
  std::string_view digits;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return bad_endpoint("the URL's IPv6 address has no ']'");
    url.host = lower(authority.substr(1, end - 1));
    authority.remove_prefix(end + 1);
    if (!authority.empty() && authority[0] != ':')
      return bad_endpoint("a port is expected behind the URL's IPv6 address");
    if (!authority.empty()) digits = authority.substr(1);
  } else {
    const auto colon = authority.find(':');
    url.host = lower(authority.substr(0, colon));
    if (url.host.find(':') != std::string::npos) return bad_endpoint("the URL's host is none");
    if (colon != std::string_view::npos) digits = authority.substr(colon + 1);
  }
  if (!is_host(url.host))
    return bad_endpoint(fmt::format("\"{}\" has no host that a name can be looked up for", whole));
  if (!digits.empty()) {
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (failure != std::errc{} || end != digits.data() + digits.size() || url.port == 0) {
      return bad_endpoint(fmt::format("\"{}\" is no port", digits));
    }
  }
  return url;
}

Result<std::string> check_endpoint(Protocol protocol, std::string_view endpoint) {
  switch (protocol) {
    case Protocol::kHttp:
    case Protocol::kHttps: {
      auto url = parse_url(endpoint);
      if (!url) return url.error();
      if (url->tls != (protocol == Protocol::kHttps)) {
        return bad_endpoint(
            fmt::format("the endpoint of protocol {0} is a URL that begins with {0}://", to_string(protocol)));
      }
      return std::string(endpoint);
    }
    case Protocol::kEmail:
    case Protocol::kEmailJson:
      if (!is_mail_address(endpoint)) return bad_endpoint(fmt::format("\"{}\" is no mail address", endpoint));
      return std::string(endpoint);
    case Protocol::kLambda:
      if (!endpoint.starts_with("arn:") || endpoint.find(":lambda:") == std::string_view::npos ||
          endpoint.find(":function:") == std::string_view::npos || endpoint.size() > kEndpointBytes) {
        return bad_endpoint(
            fmt::format("\"{}\" is no ARN of a function (arn:aws:lambda:REGION:ACCOUNT:function:NAME)", endpoint));
      }
      return std::string(endpoint);
  }
  return bad_endpoint("no such protocol");
}

Format format_of_host(const Url& url) {
  if (url.host == "hooks.slack.com" || url.host == "hooks.slack-gov.com") return Format::kSlack;
  if (url.host == "events.pagerduty.com" || url.host == "events.eu.pagerduty.com") return Format::kPagerDuty;
  return Format::kSns;
}

Result<PagerDutyTarget> pagerduty_target(const Url& url) {
  PagerDutyTarget target{url, {}};
  target.url.target = "/v2/enqueue";
  const std::string_view whole = url.target;
  constexpr std::string_view kIntegration = "/integration/";
  if (whole.starts_with(kIntegration)) {
    const auto rest = whole.substr(kIntegration.size());
    target.routing_key = rest.substr(0, rest.find('/'));
  } else if (const auto query = whole.find("routing_key="); query != std::string_view::npos) {
    const auto rest = whole.substr(query + 12);
    target.routing_key = rest.substr(0, rest.find('&'));
    target.url.target = whole.substr(0, whole.find('?'));
  }
  if (!is_key(target.routing_key)) {
    return bad_endpoint(
        "a PagerDuty endpoint names its integration key: https://events.pagerduty.com/integration/KEY/enqueue, "
        "or .../v2/enqueue?routing_key=KEY");
  }
  return target;
}

std::string without_secrets(Protocol protocol, Format format, std::string_view endpoint) {
  if (protocol != Protocol::kHttp && protocol != Protocol::kHttps) return std::string(endpoint);
  const auto url = parse_url(endpoint);
  if (!url) return "****";
  std::string shown = fmt::format("{}://", url->tls ? "https" : "http");
  if (!url->user_info.empty()) shown += url->user_info.substr(0, url->user_info.find(':')) + ":****@";
  shown += url->authority();
  if (format == Format::kSns) return shown + url->target;
  if (format == Format::kPagerDuty) return shown + "/****";
  // Of Slack's /services/T000/B000/secret the workspace stays.
  const auto team = url->target.find('/', 1);
  const auto channel = team == std::string::npos ? team : url->target.find('/', team + 1);
  return shown + url->target.substr(0, channel == std::string::npos ? 0 : channel) + "/****";
}

}  // namespace securebase::notify
