#include "notify/envelope.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace securebase::notify {

namespace {

base::Json attributes_json(const Attributes& attributes) {
  base::Json json = base::Json::object();
  for (const auto& [name, attribute] : attributes) {
    const bool binary = attribute.type.starts_with("Binary");
    json.set(name, base::Json::object({{"Type", attribute.type},
                                       {"Value", binary ? base::base64(attribute.value) : attribute.value}}));
  }
  return json;
}

std::string subscribe_url(const Message& message, const Links& links) {
  return links.confirm(message.topic_arn, message.token);
}

// SNS writes "Name" : value, a member to a line. Receivers parse it; people compare it with what they know.
std::string in_lines(const base::Json& json) {
  std::string out = "{\n";
  bool first = true;
  for (const auto& [name, value] : *json.as_object()) {
    if (!first) out += ",\n";
    first = false;
    out += "  ";
    base::append_json_string(out, name);
    out += " : ";
    value.dump_to(out);
  }
  return out + "\n}";
}

}  // namespace

std::string Links::certificate(std::string_view name) const { return fmt::format("{}/{}", base_, name); }

std::string Links::confirm(std::string_view topic_arn, std::string_view token) const {
  return fmt::format("{}/?Action=ConfirmSubscription&TopicArn={}&Token={}", base_, base::percent_encode(topic_arn, ":"),
                     base::percent_encode(token));
}

std::string Links::unsubscribe(std::string_view subscription_arn) const {
  return fmt::format("{}/?Action=Unsubscribe&SubscriptionArn={}", base_, base::percent_encode(subscription_arn, ":"));
}

std::string canonical_string(const Envelope& envelope, const Links& links) {
  const auto& message = envelope.message;
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append("\n").append(value).append("\n");
  };
  add("Message", envelope.text);
  add("MessageId", message.id);
  if (message.kind == Message::Kind::kNotification) {
    if (message.subject) add("Subject", *message.subject);
    add("Timestamp", base::iso8601_millis(message.published));
  } else {
    add("SubscribeURL", subscribe_url(message, links));
    add("Timestamp", base::iso8601_millis(message.published));
    add("Token", message.token);
  }
  add("TopicArn", message.topic_arn);
  add("Type", type_name(message.kind));
  return out;
}

std::string http_body(const Envelope& envelope, const Links& links, Signer& signer) {
  const auto& message = envelope.message;
  const bool notification = message.kind == Message::Kind::kNotification;
  base::Json json;
  json.set("Type", type_name(message.kind)).set("MessageId", message.id);
  if (!notification) json.set("Token", message.token);
  json.set("TopicArn", message.topic_arn);
  if (notification && message.subject) json.set("Subject", *message.subject);
  json.set("Message", envelope.text);
  if (!notification) json.set("SubscribeURL", subscribe_url(message, links));
  json.set("Timestamp", base::iso8601_millis(message.published))
      .set("SignatureVersion", std::to_string(envelope.signature_version))
      .set("Signature", signer.sign(canonical_string(envelope, links), envelope.signature_version))
      .set("SigningCertURL", links.certificate(signer.certificate_name()));
  if (notification) {
    json.set("UnsubscribeURL", links.unsubscribe(envelope.subscription_arn));
    if (!message.attributes.empty()) json.set("MessageAttributes", attributes_json(message.attributes));
  }
  return in_lines(json);
}

std::string function_event(const Envelope& envelope, const Links& links, Signer& signer) {
  const auto& message = envelope.message;
  base::Json sns;
  sns.set("Type", type_name(message.kind)).set("MessageId", message.id).set("TopicArn", message.topic_arn);
  sns.set("Subject", message.subject ? base::Json(*message.subject) : base::Json());
  sns.set("Message", envelope.text)
      .set("Timestamp", base::iso8601_millis(message.published))
      .set("SignatureVersion", std::to_string(envelope.signature_version))
      .set("Signature", signer.sign(canonical_string(envelope, links), envelope.signature_version))
      .set("SigningCertUrl", links.certificate(signer.certificate_name()))
      .set("UnsubscribeUrl", links.unsubscribe(envelope.subscription_arn))
      .set("MessageAttributes", attributes_json(message.attributes));
  return base::Json::object(
             {{"Records", base::Json::array({base::Json::object({{"EventSource", "aws:sns"},
                                                                 {"EventVersion", "1.0"},
                                                                 {"EventSubscriptionArn", envelope.subscription_arn},
                                                                 {"Sns", std::move(sns)}})})}})
      .dump();
}

}  // namespace securebase::notify
