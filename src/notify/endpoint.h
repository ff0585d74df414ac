// Where a subscription's messages go: protocol, address, and the form they take there. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http/url.h"

namespace securebase::notify {

enum class Protocol { kHttp, kHttps, kEmail, kEmailJson, kLambda };
std::string_view to_string(Protocol protocol);  // as SNS writes it: "email-json"
// kUnsupported names those that SNS has and this platform has not: sqs, sms, application, firehose.
Result<Protocol> protocol_from(std::string_view name);

// The form of what a webhook is sent.
enum class Format { kSns, kSlack, kPagerDuty };
std::string_view to_string(Format format);
std::optional<Format> format_from(std::string_view name);

using http::Url;

// An endpoint as SNS would take it for that protocol; the error says what was expected.
Result<std::string> check_endpoint(Protocol protocol, std::string_view endpoint);

// The form that a webhook's host asks for: hooks.slack.com and hooks.slack-gov.com Slack's, events.pagerduty.com and
// events.eu.pagerduty.com PagerDuty's, all others SNS's own.
Format format_of_host(const Url& url);

// Where events go, and with which key, for an integration URL ("https://events.pagerduty.com/integration/KEY/enqueue")
// or the Events API itself with ?routing_key=KEY, there or on another host.
struct PagerDutyTarget {
  Url url;
  std::string routing_key;
};
Result<PagerDutyTarget> pagerduty_target(const Url& url);

// For logs and lists: passwords, and the keys in the paths of Slack's and PagerDuty's URLs, are "****".
std::string without_secrets(Protocol protocol, Format format, std::string_view endpoint);

}  // namespace securebase::notify
