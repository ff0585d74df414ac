// A message as an event of PagerDuty's Events API v2: trigger, acknowledge or resolve, one incident to an alarm.
#pragma once

#include <string>
#include <string_view>

#include "notify/message.h"

namespace securebase::notify {

// An alarm in ALARM triggers with severity critical, in INSUFFICIENT_DATA with warning, in OK resolves; its ARN is the
// dedup_key. Any other message triggers with severity error and its own id as key. The attributes "severity",
// "dedup_key" and "event_action" of the message say otherwise.
std::string pagerduty_body(const Message& message, std::string_view text, std::string_view topic_name,
                           std::string_view routing_key, std::string_view console_url);

}  // namespace securebase::notify
