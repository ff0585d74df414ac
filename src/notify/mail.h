// A message as a mail: RFC 5322 with MIME, in UTF-8, each line as SMTP allows it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "notify/envelope.h"

namespace securebase::notify {

struct Mail {
  std::string from;       // address
  std::string from_name;  // shown; may be empty
  std::string to;
  std::string subject;
  std::string text;    // UTF-8
  std::string id;      // unique: becomes Message-ID, with the domain of `from`
  std::string thread;  // mails with the same are shown together; may be empty
  std::string topic_arn;
  std::string unsubscribe_url;  // may be empty
  base::TimePoint date;
};

// Header and body with CRLF, without SMTP's dots.
std::string render(const Mail& mail);

// "=?UTF-8?B?...?=" where needed (RFC 2047), folded.
std::string encoded_words(std::string_view text);
// RFC 2045 §6.7, lines of at most 76 characters.
std::string quoted_printable(std::string_view text);

// What people read: for an alarm what broke, since when, its value and the command that shows the evidence; else the
// text itself. Below it, how to unsubscribe.
std::string mail_subject(const Message& message, std::string_view text, std::string_view display_name);
std::string mail_text(const Message& message, std::string_view text, std::string_view unsubscribe_url,
                      std::string_view console_url);
// Asks the receiver to confirm.
std::string confirmation_text(const Message& message, std::string_view link);
// The alarm that the mail is about, or "".
std::string mail_thread(std::string_view text);

}  // namespace securebase::notify
