#include "notify/pagerduty.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "notify/alarm.h"
#include "notify/slack.h"

namespace securebase::notify {

namespace {

// Events API v2: what it refuses beyond.
constexpr std::size_t kSummary = 1024;
constexpr std::size_t kDedupKey = 255;
constexpr std::size_t kDetail = 16 << 10;

std::string_view attribute(const Message& message, std::string_view name) {
  const auto found = message.attributes.find(name);
  return found == message.attributes.end() ? std::string_view{} : std::string_view(found->second.value);
}

std::string_view one_of(std::string_view wanted, std::initializer_list<std::string_view> words,
                        std::string_view fallback) {
  for (const auto word : words) {
    if (wanted == word) return word;
  }
  return fallback;
}

std::string key_of(std::string_view key) {
  return key.size() <= kDedupKey ? std::string(key) : base::hex(base::sha256(key));
}

base::Json details_of(const Alarm& alarm) {
  base::Json details = base::Json::object({{"state", alarm.state}, {"previous_state", alarm.old_state}});
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) details.set(name, cut(value, kDetail));
  };
  add("reason", alarm.reason);
  add("description", alarm.description);
  add("since", since(alarm));
  if (const auto value = alarm.value()) details.set("value", *value);
  if (alarm.threshold) details.set("threshold", *alarm.threshold);
  base::Json commands;
  for (const auto& command : evidence(alarm)) commands.push_back(command);
  details.set("evidence", std::move(commands));
  return details;
}

std::string first_line(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "(empty)";
  return std::string(text.substr(begin, text.find_first_of("\r\n", begin) - begin));
}

}  // namespace

std::string pagerduty_body(const Message& message, std::string_view text, std::string_view topic_name,
                           std::string_view routing_key, std::string_view console_url) {
  const auto alarm = alarm_from(text);
  const auto severity = one_of(attribute(message, "severity"), {"critical", "error", "warning", "info"},
                               !alarm                    ? "error"
                               : alarm->state == "ALARM" ? "critical"
                                                         : "warning");
  const auto action = one_of(attribute(message, "event_action"), {"trigger", "acknowledge", "resolve"},
                             alarm && alarm->state == "OK" ? "resolve" : "trigger");
  std::string key(attribute(message, "dedup_key"));
  if (key.empty()) key = alarm ? (alarm->arn.empty() ? alarm->name : alarm->arn) : message.id;
  base::Json event = base::Json::object(
      {{"routing_key", routing_key}, {"event_action", action}, {"dedup_key", key_of(key)}, {"client", "SecureBase"}});
  if (!console_url.empty()) event.set("client_url", console_url);
  if (action != "trigger") return event.dump();

  base::Json payload;
  const auto summary = alarm             ? fmt::format("{}: {}", alarm->name, headline(*alarm))
                       : message.subject ? *message.subject
                                         : first_line(text);
  payload.set("summary", cut(summary, kSummary));
  payload.set("source", alarm && !alarm->arn.empty() ? alarm->arn : message.topic_arn);
  payload.set("severity", severity);
  payload.set("timestamp", base::iso8601_millis(alarm && alarm->changed ? *alarm->changed : message.published));
  payload.set("group", topic_name);
  if (alarm && !alarm->name_space.empty()) {
    payload.set("component", alarm->name_space);
    payload.set("class", alarm->metric);
  }
  payload.set("custom_details", alarm ? details_of(*alarm) : base::Json::object({{"message", cut(text, kDetail)}}));
  event.set("payload", std::move(payload));
  if (alarm) {
    if (const auto link = console_link(console_url, alarm->name); !link.empty()) {
      event.set("links",
                base::Json::array({base::Json::object({{"href", link}, {"text", "The alarm in the console"}})}));
    }
  }
  return event.dump();
}

}  // namespace securebase::notify
