#include "notify/endpoint.h"

#include <fmt/format.h>

#include <algorithm>

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

Result<std::string> check_endpoint(Protocol protocol, std::string_view endpoint) {
  switch (protocol) {
    case Protocol::kHttp:
    case Protocol::kHttps: {
      auto url = http::parse_url(endpoint);
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
  const auto url = http::parse_url(endpoint);
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
