// A message as Slack's incoming webhooks take it (Slack API, "Block Kit"): blocks, and a text for where no blocks are
// shown (notifications on a phone, screen readers).
#pragma once

#include <string>
#include <string_view>

#include "notify/message.h"

namespace securebase::notify {

// `text`: what this subscription is sent. Within Slack's limits: longer texts are cut, and say so.
std::string slack_body(const Message& message, std::string_view text, std::string_view topic_name,
                       std::string_view console_url);

// The end of `text` cut off so that at most `bytes` are left, at a character's edge, with "…".
std::string cut(std::string_view text, std::size_t bytes);

// Where the console shows an alarm; empty without a console.
std::string console_link(std::string_view console_url, std::string_view alarm_name);

}  // namespace securebase::notify
