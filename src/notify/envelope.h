// What SNS sends: the JSON bodies for webhooks and email-json, the event for functions, and the string that is signed
// (SNS developer guide, "Amazon SNS message and JSON formats", "Verifying the signatures of Amazon SNS messages").
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "notify/message.h"
#include "notify/signer.h"

namespace securebase::notify {

// The addresses that stand in messages.
class Links {
 public:
  explicit Links(std::string public_url) : base_(std::move(public_url)) {
    while (base_.ends_with('/')) base_.pop_back();
  }
  std::string certificate(std::string_view name) const;
  std::string confirm(std::string_view topic_arn, std::string_view token) const;
  std::string unsubscribe(std::string_view subscription_arn) const;

 private:
  std::string base_;
};

// What is said besides the message itself.
struct Envelope {
  const Message& message;
  std::string text;  // Message, as this protocol's subscribers get it
  std::string subscription_arn;
  int signature_version = 1;
};

// "Name\nvalue\n" for each signed member, in their order.
std::string canonical_string(const Envelope& envelope, const Links& links);
// Signs: not for a worker's thread.
std::string http_body(const Envelope& envelope, const Links& links, Signer& signer);
std::string function_event(const Envelope& envelope, const Links& links, Signer& signer);

}  // namespace securebase::notify
