// What is published: a text for all protocols or one for each, its attributes, and what makes it acceptable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/aws.h"
#include "base/clock.h"
#include "base/json.h"
#include "notify/notify.h"

namespace securebase::notify {

// Immutable once it is in the queue; shared by all its deliveries.
struct Message {
  enum class Kind { kNotification, kSubscriptionConfirmation, kUnsubscribeConfirmation };
  Kind kind = Kind::kNotification;
  std::string id;  // a UUID
  std::string topic_arn;
  std::optional<std::string> subject;
  std::string text;
  std::map<std::string, std::string, std::less<>> texts;  // by protocol, where they differ from `text`
  Attributes attributes;
  std::string token;  // of the two confirmations
  base::TimePoint published;

  // What a subscription of this protocol ("https", "email-json") is sent.
  const std::string& text_for(std::string_view protocol) const;
  // What it weighs in the queue.
  std::size_t bytes() const;
};
// As SNS calls it: "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation".
std::string_view type_name(Message::Kind kind);
using MessagePointer = std::shared_ptr<const Message>;

base::Json to_json(const Message& message);
Result<Message> message_from(const base::Json& json);

// SNS's own limit: text, attribute names, types and values together.
inline constexpr std::size_t kMessageBytes = std::size_t{256} << 10;

// Makes a message of what a client wants published; the fault is SNS's.
Result<Message, aws::Fault> compose(Publication publication, base::TimePoint now);

// MessageStructure = "json": an object of texts by protocol, of which "default" is one.
Result<std::map<std::string, std::string, std::less<>>> parse_structure(std::string_view text);

aws::Fault invalid_parameter(std::string_view name, std::string_view reason);
bool is_utf8(std::string_view text);

}  // namespace securebase::notify
