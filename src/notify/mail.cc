#include "notify/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/hash.h"
#include "notify/alarm.h"
#include "notify/slack.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kLine = 76;              // RFC 2045 §6.7
constexpr std::size_t kEncodedWordBytes = 45;  // "=?UTF-8?B?" + 60 + "?=" is within RFC 2047's 75

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// RFC 5322 §3.3.
std::string mail_date(base::TimePoint time) {
  auto text = base::http_date(time);
  return text.substr(0, text.size() - 3) + "+0000";
}

std::string_view domain_of(std::string_view address) { return address.substr(address.rfind('@') + 1); }

// A display name: an atom's words, else quoted, else encoded.
std::string phrase(std::string_view name) {
  if (!is_plain(name)) return encoded_words(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string encoded_words(std::string_view text) {
  // A plain text that looks like an encoded word would be read as one.
  if (is_plain(text) && text.find("=?") == std::string_view::npos) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t end = std::min(text.size(), kEncodedWordBytes);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    if (end == 0) end = std::min(text.size(), kEncodedWordBytes);
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", base::base64(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return out;
}

std::string quoted_printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    // A blank at the end of a line would be lost on the way.
    const bool last = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool plain = (c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
    const std::size_t width = plain ? 1 : 3;
    if (column + width > kLine - 1) {
      out += "=\r\n";
      column = 0;
    }
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '=';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
    column += width;
  }
  if (column > 0) out += "\r\n";
  return out;
}

std::string render(const Mail& mail) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  add("Date", mail_date(mail.date));
  add("From", mail.from_name.empty() ? mail.from : fmt::format("{} <{}>", phrase(mail.from_name), mail.from));
  add("To", mail.to);
  add("Subject", encoded_words(mail.subject));
  const auto domain = domain_of(mail.from);
  add("Message-ID", fmt::format("<{}@{}>", mail.id, domain));
  if (!mail.thread.empty()) {
    const auto root = fmt::format("<{}@{}>", base::hex(base::sha256(mail.thread)).substr(0, 32), domain);
    add("References", root);
    add("In-Reply-To", root);
  }
  add("List-Id", fmt::format("<{}.{}>", base::hex(base::sha256(mail.topic_arn)).substr(0, 16), domain));
  if (!mail.unsubscribe_url.empty()) {
    add("List-Unsubscribe", fmt::format("<{}>", mail.unsubscribe_url));  // RFC 2369
    add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");          // RFC 8058
  }
  add("Auto-Submitted", "auto-generated");  // RFC 3834
  add("MIME-Version", "1.0");
  add("Content-Type", "text/plain; charset=utf-8");
  add("Content-Transfer-Encoding", "quoted-printable");
  return out + "\r\n" + quoted_printable(mail.text);
}

std::string mail_subject(const Message& message, std::string_view text, std::string_view display_name) {
  if (message.kind == Message::Kind::kSubscriptionConfirmation) return "Please confirm your subscription";
  if (message.kind == Message::Kind::kUnsubscribeConfirmation) return "You have been unsubscribed";
  if (message.subject) return *message.subject;
  if (const auto alarm = alarm_from(text)) {
    std::string name = alarm->name;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return fmt::format("{}: {}", alarm->state, name);
  }
  return fmt::format("Notification from {}", display_name);
}

std::string mail_text(const Message& message, std::string_view text, std::string_view unsubscribe_url,
                      std::string_view console_url) {
  std::string out;
  if (const auto alarm = alarm_from(text)) {
    out = fmt::format("{}: {}\n\n{}\n", alarm->state, alarm->name, headline(*alarm));
    if (const auto when = since(*alarm); !when.empty()) out += when + "\n";
    if (!alarm->description.empty()) out += "\n" + alarm->description + "\n";
    if (!alarm->reason.empty()) out += "\nWhy:\n  " + alarm->reason + "\n";
    out += "\nThe evidence:\n";
    for (const auto& command : evidence(*alarm)) out += "  " + command + "\n";
    if (const auto link = console_link(console_url, alarm->name); !link.empty()) out += "\n" + link + "\n";
    out += fmt::format("\nAlarm    {}\nRegion   {}\nBefore   {}\n", alarm->arn, alarm->region, alarm->old_state);
  } else {
    out = text;
    if (!out.ends_with('\n')) out += '\n';
  }
  if (unsubscribe_url.empty()) return out;
  return out + fmt::format("\n-- \nTopic {}\nTo stop these mails: {}\n", message.topic_arn, unsubscribe_url);
}

std::string confirmation_text(const Message& message, std::string_view link) {
  if (message.kind == Message::Kind::kUnsubscribeConfirmation) {
    return fmt::format(
        "Mails of the topic\n  {}\nare no longer sent to this address.\n\nIf you did not mean that, open "
        "this link to subscribe again:\n  {}\n",
        message.topic_arn, link);
  }
  return fmt::format(
      "Somebody asked that mails of the topic\n  {}\nare sent to this address.\n\nIf you want them, open "
      "this link within three days:\n  {}\n\nIf not, do nothing: no mail will come.\n",
      message.topic_arn, link);
}

std::string mail_thread(std::string_view text) {
  const auto alarm = alarm_from(text);
  return alarm ? (alarm->arn.empty() ? alarm->name : alarm->arn) : "";
}

}  // namespace securebase::notify
