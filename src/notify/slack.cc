#include "notify/slack.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "notify/alarm.h"

namespace securebase::notify {

namespace {

// Block Kit's limits in characters; ours count bytes, which are never fewer.
constexpr std::size_t kHeader = 150;
constexpr std::size_t kSection = 3000;
constexpr std::size_t kText = 4000;

// & < > are control characters of Slack's text ("Formatting text for app surfaces").
std::string escaped_for_slack(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

base::Json markdown(std::string_view text) { return base::Json::object({{"type", "mrkdwn"}, {"text", text}}); }

base::Json header(std::string_view text) {
  return base::Json::object(
      {{"type", "header"}, {"text", base::Json::object({{"type", "plain_text"}, {"text", cut(text, kHeader)}})}});
}

base::Json section(std::string_view text) {
  return base::Json::object({{"type", "section"}, {"text", markdown(cut(text, kSection))}});
}

base::Json context(std::string_view text) {
  return base::Json::object({{"type", "context"}, {"elements", base::Json::array({markdown(cut(text, kSection))})}});
}

std::string_view sign(std::string_view state) {
  return state == "ALARM" ? "\xF0\x9F\x94\xB4"
         : state == "OK"  ? "\xF0\x9F\x9F\xA2"
                          : "\xE2\x9A\xAA";  // red, green, white
}

std::string alarm_body(const Alarm& alarm, std::string_view topic_name, std::string_view console_url) {
  const auto title = fmt::format("{} {}: {}", sign(alarm.state), alarm.state, alarm.name);
  base::Json blocks = base::Json::array({header(title)});
  std::string what = fmt::format("*{}*", escaped_for_slack(headline(alarm)));
  if (!alarm.description.empty()) what += "\n" + escaped_for_slack(alarm.description);
  blocks.push_back(section(what));
  if (!alarm.reason.empty()) blocks.push_back(section(escaped_for_slack(alarm.reason)));
  std::string commands;
  for (const auto& command : evidence(alarm)) commands += (commands.empty() ? "" : "\n") + command;
  // A fence inside would end the block.
  if (commands.find("```") == std::string::npos) {
    // Cut before it is fenced, so that the fence is closed.
    blocks.push_back(section(fmt::format("```{}```", cut(escaped_for_slack(commands), kSection - 6))));
  }
  std::string foot = fmt::format("{} \xC2\xB7 {} \xC2\xB7 {}", since(alarm), escaped_for_slack(alarm.region),
                                 escaped_for_slack(topic_name));
  if (const auto link = console_link(console_url, alarm.name); !link.empty()) {
    foot += fmt::format(" \xC2\xB7 <{}|console>", link);
  }
  blocks.push_back(context(foot));
  const auto fallback = fmt::format("{}: {} - {}", alarm.state, alarm.name, headline(alarm));
  return base::Json::object({{"text", cut(escaped_for_slack(fallback), kText)}, {"blocks", std::move(blocks)}}).dump();
}

}  // namespace

std::string cut(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  constexpr std::string_view kMore = "\xE2\x80\xA6";
  std::size_t end = bytes - kMore.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + std::string(kMore);
}

std::string console_link(std::string_view console_url, std::string_view alarm_name) {
  if (console_url.empty()) return "";
  return fmt::format("{}/alarms/{}", console_url, base::percent_encode(alarm_name));
}

std::string slack_body(const Message& message, std::string_view text, std::string_view topic_name,
                       std::string_view console_url) {
  if (const auto alarm = alarm_from(text)) return alarm_body(*alarm, topic_name, console_url);
  base::Json blocks;
  if (message.subject) blocks.push_back(header(*message.subject));
  blocks.push_back(section(escaped_for_slack(text)));
  blocks.push_back(
      context(fmt::format("{} \xC2\xB7 {}", escaped_for_slack(topic_name), base::iso8601(message.published))));
  const auto fallback = message.subject ? *message.subject : std::string(text);
  return base::Json::object({{"text", cut(escaped_for_slack(fallback), kText)}, {"blocks", std::move(blocks)}}).dump();
}

}  // namespace securebase::notify
