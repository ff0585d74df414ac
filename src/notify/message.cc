#include "notify/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kSubjectCharacters = 100;
constexpr std::size_t kAttributes = 100;  // SNS has no number of its own; the size limit comes first
constexpr std::size_t kAttributeNameBytes = 256;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t characters(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<aws::Fault> wrong_subject(const std::optional<std::string>& subject) {
  if (!subject) return std::nullopt;
  if (subject->empty()) return invalid_parameter("Subject", "it is empty; leave it out instead");
  if (!is_utf8(*subject) || has_control(*subject)) {
    return invalid_parameter("Subject", "it has to be one line of UTF-8 text without control characters");
  }
  if (characters(*subject) > kSubjectCharacters) {
    return invalid_parameter(
        "Subject", fmt::format("it has {} characters, and may have {}", characters(*subject), kSubjectCharacters));
  }
  return std::nullopt;
}

bool is_attribute_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':';
  };
  return !name.empty() && name.size() <= kAttributeNameBytes && std::all_of(name.begin(), name.end(), fits) &&
         name.front() != '.' && name.back() != '.' && name.find("..") == std::string_view::npos;
}

// The type without its label: "Number.float" is a Number; "String.Array" is a type of its own.
std::string_view base_type(std::string_view type) {
  if (type == "String.Array" || type.starts_with("String.Array.")) return "String.Array";
  return type.substr(0, type.find('.'));
}

bool is_number(std::string_view text) {
  const auto parsed = base::Json::parse(text);
  return parsed && parsed->is_number();
}

std::optional<aws::Fault> wrong_attribute(const std::string& name, const Attribute& attribute) {
  const auto wrong = [&](std::string_view reason) {
    return invalid_parameter("MessageAttributes", fmt::format("attribute \"{}\": {}", name, reason));
  };
  if (!is_attribute_name(name)) {
    return invalid_parameter("MessageAttributes",
                             "a name has 1 to 256 of the characters A-Z a-z 0-9 _ - . and begins and ends with no dot");
  }
  const auto type = base_type(attribute.type);
  if (type != "String" && type != "String.Array" && type != "Number" && type != "Binary") {
    return wrong(
        fmt::format("its DataType is \"{}\"; expected String, String.Array, Number or Binary, perhaps with a "
                    "label behind a dot",
                    attribute.type));
  }
  if (attribute.value.empty()) return wrong("its value is empty");
  if (type == "Binary") return std::nullopt;
  if (!is_utf8(attribute.value)) return wrong("its value is not UTF-8 text");
  if (type == "Number" && !is_number(attribute.value)) return wrong("its value is no number");
  if (type == "String.Array") {
    const auto parsed = base::Json::parse(attribute.value);
    if (!parsed || !parsed->as_array()) return wrong("its value is no JSON array");
  }
  return std::nullopt;
}

}  // namespace

std::string_view type_name(Message::Kind kind) {
  switch (kind) {
    case Message::Kind::kSubscriptionConfirmation:
      return "SubscriptionConfirmation";
    case Message::Kind::kUnsubscribeConfirmation:
      return "UnsubscribeConfirmation";
    case Message::Kind::kNotification:
      break;
  }
  return "Notification";
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if (!is_continuation(text[i + k])) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second > 0x8f)) {
      return false;  // overlong, a surrogate, or beyond U+10FFFF
    }
    i += length;
  }
  return true;
}

aws::Fault invalid_parameter(std::string_view name, std::string_view reason) {
  return {"InvalidParameter", fmt::format("Invalid parameter: {} Reason: {}", name, reason), 400, {}};
}

const std::string& Message::text_for(std::string_view protocol) const {
  const auto own = texts.find(protocol);
  return own == texts.end() ? text : own->second;
}

std::size_t Message::bytes() const {
  std::size_t sum = sizeof(Message) + id.size() + topic_arn.size() + text.size() + token.size();
  if (subject) sum += subject->size();
  for (const auto& [protocol, own] : texts) sum += protocol.size() + own.size();
  for (const auto& [name, attribute] : attributes) sum += name.size() + attribute.type.size() + attribute.value.size();
  return sum;
}

Result<std::map<std::string, std::string, std::less<>>> parse_structure(std::string_view text) {
  const Error none{Errc::kMalformed,
                   "with MessageStructure = json the message is a JSON object of texts by protocol, one of them named "
                   "\"default\""};
  auto json = base::Json::parse(text);
  if (!json) return none;
  const auto* object = json->as_object();
  if (!object) return none;
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& [protocol, value] : *object) {
    const auto* own = value.as_string();
    // SNS overlooks what is no text, save the default.
    if (own) texts.insert_or_assign(protocol, *own);
  }
  if (!texts.contains("default")) return none;
  return texts;
}

Result<Message, aws::Fault> compose(Publication publication, base::TimePoint now) {
  if (publication.message.empty()) return invalid_parameter("Message", "Empty message");
  if (!is_utf8(publication.message)) return invalid_parameter("Message", "it is not UTF-8 text");
  if (auto wrong = wrong_subject(publication.subject)) return *wrong;
  std::size_t size = publication.message.size();
  if (publication.attributes.size() > kAttributes) {
    return invalid_parameter("MessageAttributes", fmt::format("more than {} attributes", kAttributes));
  }
  for (const auto& [name, attribute] : publication.attributes) {
    if (auto wrong = wrong_attribute(name, attribute)) return *wrong;
    size += name.size() + attribute.type.size() + attribute.value.size();
  }
  if (size > kMessageBytes) {
    return invalid_parameter("Message",
                             fmt::format("Message too long: {} bytes with its attributes, of {}", size, kMessageBytes));
  }
  Message message;
  message.id = base::random_uuid();
  message.topic_arn = std::move(publication.topic_arn);
  message.subject = std::move(publication.subject);
  message.attributes = std::move(publication.attributes);
  message.published = now;
  if (!publication.by_protocol) {
    message.text = std::move(publication.message);
    return message;
  }
  auto texts = parse_structure(publication.message);
  if (!texts) return invalid_parameter("Message Structure", texts.error().message);
  const auto standard = texts->find("default");
  message.text = standard->second;
  texts->erase(standard);
  message.texts = std::move(*texts);
  return message;
}

base::Json to_json(const Message& message) {
  base::Json json;
  json.set("kind", type_name(message.kind));
  json.set("id", message.id);
  json.set("topic", message.topic_arn);
  if (message.subject) json.set("subject", *message.subject);
  json.set("text", message.text);
  for (const auto& [protocol, own] : message.texts) {
    if (!json.find("texts")) json.set("texts", base::Json::object());
    auto texts = json["texts"];
    json.set("texts", std::move(texts.set(protocol, own)));
  }
  base::Json attributes;
  for (const auto& [name, attribute] : message.attributes) {
    attributes.set(name, base::Json::array({attribute.type, base::base64(attribute.value)}));
  }
  if (!attributes.is_null()) json.set("attributes", std::move(attributes));
  if (!message.token.empty()) json.set("token", message.token);
  json.set("at", static_cast<std::int64_t>(message.published.time_since_epoch().count()));
  return json;
}

Result<Message> message_from(const base::Json& json) {
  Message message;
  const auto kind = json["kind"].string_or("");
  if (kind == type_name(Message::Kind::kSubscriptionConfirmation)) {
    message.kind = Message::Kind::kSubscriptionConfirmation;
  } else if (kind == type_name(Message::Kind::kUnsubscribeConfirmation)) {
    message.kind = Message::Kind::kUnsubscribeConfirmation;
  } else if (kind != type_name(Message::Kind::kNotification)) {
    return Error{Errc::kMalformed,
                 fmt::format("a kept message is of kind \"{}\", which this version does not know", kind)};
  }
  message.id = json["id"].string_or("");
  message.topic_arn = json["topic"].string_or("");
  if (const auto* subject = json["subject"].as_string()) message.subject = *subject;
  message.text = json["text"].string_or("");
  if (const auto* texts = json["texts"].as_object()) {
    for (const auto& [protocol, own] : *texts) message.texts.emplace(protocol, own.string_or(""));
  }
  if (const auto* attributes = json["attributes"].as_object()) {
    for (const auto& [name, pair] : *attributes) {
      const auto* parts = pair.as_array();
      if (!parts || parts->size() != 2) return Error{Errc::kMalformed, "an attribute of a kept message is no pair"};
      auto value = base::from_base64((*parts)[1].string_or(""));
      if (!value) return Error{Errc::kMalformed, "an attribute of a kept message is not base64"};
      message.attributes.emplace(name, Attribute{std::string((*parts)[0].string_or("")), std::move(*value)});
    }
  }
  message.token = json["token"].string_or("");
  message.published = base::TimePoint{std::chrono::microseconds{json["at"].integer_or(0)}};
  return message;
}

}  // namespace securebase::notify
