#include "notify/registered.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "notify/message.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kDisplayNameBytes = 100;

bool is_feedback(std::string_view name) {
  // "HTTPSuccessFeedbackRoleArn" and its like: every delivery is logged here, so they are kept and change nothing.
  return name.ends_with("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate");
}

std::string_view value_of(const Names& names, std::string_view name) {
  const auto found = names.find(name);
  return found == names.end() ? std::string_view{} : std::string_view(found->second);
}

Result<std::optional<Format>, aws::Fault> read_format(const Names& names, std::string_view where) {
  const auto wanted = value_of(names, kFormatName);
  if (wanted.empty()) return std::optional<Format>{};
  const auto format = format_from(wanted);
  if (!format) {
    return invalid_parameter(where, fmt::format("{} is \"{}\"; expected sns, slack or pagerduty", kFormatName, wanted));
  }
  return format;
}

Result<bool, aws::Fault> read_bool(const Names& names, std::string_view name) {
  const auto text = value_of(names, name);
  if (text.empty() || text == "false") return false;
  if (text == "true") return true;
  return invalid_parameter(name, fmt::format("expected true or false, got \"{}\"", text));
}

Result<Done, aws::Fault> check_topic_name(const std::string& name, const std::string& value) {
  if (name == "FifoTopic" || name == "ContentBasedDeduplication" || name == "FifoThroughputScope") {
    if (value != "false") {
      return invalid_parameter("Attributes", fmt::format("{}: FIFO topics are not done by SecureBase; standard topics "
                                                         "deliver to Slack, PagerDuty and mail in order",
                                                         name));
    }
    return Done{};
  }
  if (name == "KmsMasterKeyId") {
    if (!value.empty()) {
      return invalid_parameter("Attributes",
                               "KmsMasterKeyId: messages are not encrypted in the queue by SecureBase; put "
                               "the state directory on an encrypted disk");
    }
    return Done{};
  }
  if (name == "DisplayName") {
    if (value.size() > kDisplayNameBytes || !is_utf8(value) || value.find_first_of("\r\n") != std::string::npos) {
      return invalid_parameter("DisplayName", fmt::format("expected one line of at most {} bytes", kDisplayNameBytes));
    }
    return Done{};
  }
  if (name == "TracingConfig") {
    if (value == "PassThrough" || value == "Active") return Done{};
    return invalid_parameter("TracingConfig", "expected PassThrough or Active");
  }
  if (name == "SignatureVersion") {
    if (value == "1" || value == "2") return Done{};
    return invalid_parameter("SignatureVersion", fmt::format("expected 1 or 2, got \"{}\"", value));
  }
  if (name == "DeliveryPolicy" || name == "Policy" || is_feedback(name)) return Done{};
  return invalid_parameter("AttributeName", fmt::format("topics have no attribute \"{}\" that can be set here", name));
}

Result<Done, aws::Fault> check_subscription_name(const std::string& name, const Subscription& subscription) {
  constexpr std::array<std::string_view, 8> kNames{"DeliveryPolicy",     "FilterPolicy",  "FilterPolicyScope",
                                                   "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn",
                                                   "ReplayPolicy",       kFormatName};
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
    return invalid_parameter("AttributeName",
                             fmt::format("subscriptions have no attribute \"{}\" that can be set", name));
  }
  if (name == "ReplayPolicy" || name == "SubscriptionRoleArn") {
    return invalid_parameter("AttributeName",
                             name + ": SecureBase has neither FIFO topics nor Firehose, which it is for");
  }
  const bool webhook = subscription.protocol == Protocol::kHttp || subscription.protocol == Protocol::kHttps;
  if ((name == "DeliveryPolicy" || name == "RawMessageDelivery" || name == kFormatName) && !webhook) {
    const auto value = value_of(subscription.attributes, name);
    if (name == "RawMessageDelivery" && value == "false") return Done{};
    return invalid_parameter(name,
                             fmt::format("it is for http and https, not for {}", to_string(subscription.protocol)));
  }
  return Done{};
}

Result<Done, aws::Fault> read_redrive(Subscription& subscription) {
  const auto text = value_of(subscription.attributes, "RedrivePolicy");
  subscription.redrive_target.clear();
  if (text.empty()) return Done{};
  const auto json = base::Json::parse(text);
  if (json) subscription.redrive_target = (*json)["deadLetterTargetArn"].string_or("");
  if (!subscription.redrive_target.starts_with("arn:") ||
      subscription.redrive_target.find(":sqs:") == std::string::npos) {
    return invalid_parameter("RedrivePolicy",
                             "expected {\"deadLetterTargetArn\": \"arn:aws:sqs:REGION:ACCOUNT:QUEUE\"}");
  }
  return Done{};
}

Result<Done, aws::Fault> read_filter(Subscription& subscription) {
  const auto scope = value_of(subscription.attributes, "FilterPolicyScope");
  if (!scope.empty() && scope != "MessageAttributes" && scope != "MessageBody") {
    return invalid_parameter(
        "FilterPolicyScope",
        fmt::format("Invalid value [{}]. Please use either MessageBody or MessageAttributes", scope));
  }
  subscription.scope = scope == "MessageBody" ? FilterScope::kMessageBody : FilterScope::kMessageAttributes;
  subscription.filter.reset();
  const auto text = value_of(subscription.attributes, "FilterPolicy");
  if (text.empty()) return Done{};
  auto policy = FilterPolicy::parse(text, subscription.scope);
  if (!policy) return invalid_parameter("FilterPolicy", policy.error().message);
  subscription.filter = std::make_shared<const FilterPolicy>(std::move(*policy));
  return Done{};
}

base::Json names_to_json(const Names& names) {
  base::Json json = base::Json::object();
  for (const auto& [name, value] : names) json.set(name, value);
  return json;
}

Names names_from(const base::Json& json) {
  Names names;
  if (const auto* object = json.as_object()) {
    for (const auto& [name, value] : *object) names.emplace(name, value.string_or(""));
  }
  return names;
}

}  // namespace

std::string Topic::display_name() const {
  const auto shown = value_of(attributes, "DisplayName");
  return shown.empty() ? name() : std::string(shown);
}

Format Subscription::form(const Topic& topic) const {
  if (protocol != Protocol::kHttp && protocol != Protocol::kHttps) return Format::kSns;
  if (format) return *format;
  if (topic.format) return *topic.format;
  const auto url = http::parse_url(endpoint);
  return url ? format_of_host(*url) : Format::kSns;
}

bool Subscription::needs_confirmation(const Topic& topic) const {
  return protocol != Protocol::kLambda && form(topic) == Format::kSns;
}

Result<Done, aws::Fault> settle(Topic& topic) {
  for (const auto& [name, value] : topic.attributes) {
    if (auto fits = check_topic_name(name, value); !fits) return fits;
  }
  topic.delivery = {};
  if (const auto policy = value_of(topic.attributes, "DeliveryPolicy"); !policy.empty()) {
    auto parsed = parse_topic_delivery_policy(policy);
    if (!parsed) return invalid_parameter("DeliveryPolicy", parsed.error().message);
    topic.delivery = *parsed;
  }
  topic.signature_version = value_of(topic.attributes, "SignatureVersion") == "2" ? 2 : 1;
  auto format = read_format(topic.tags, "Tags");
  if (!format) return format.error();
  topic.format = *format;
  return Done{};
}

Result<Done, aws::Fault> settle(Subscription& subscription, const Topic& topic) {
  for (const auto& [name, value] : subscription.attributes) {
    if (auto fits = check_subscription_name(name, subscription); !fits) return fits;
  }
  auto raw = read_bool(subscription.attributes, "RawMessageDelivery");
  if (!raw) return raw.error();
  subscription.raw = *raw;
  auto format = read_format(subscription.attributes, "Attributes");
  if (!format) return format.error();
  subscription.format = *format;
  subscription.delivery = {};
  if (const auto policy = value_of(subscription.attributes, "DeliveryPolicy"); !policy.empty()) {
    auto parsed = parse_delivery_policy(policy);
    if (!parsed) return invalid_parameter("DeliveryPolicy", parsed.error().message);
    subscription.delivery = *parsed;
  }
  if (subscription.form(topic) == Format::kPagerDuty) {
    const auto url = http::parse_url(subscription.endpoint);
    if (!url) return invalid_parameter("Endpoint", url.error().message);
    if (auto target = pagerduty_target(*url); !target) return invalid_parameter("Endpoint", target.error().message);
  }
  if (auto read = read_redrive(subscription); !read) return read;
  return read_filter(subscription);
}

base::Json to_json(const Topic& topic) {
  return base::Json::object({{"arn", topic.arn},
                             {"declared", topic.declared},
                             {"attributes", names_to_json(topic.attributes)},
                             {"tags", names_to_json(topic.tags)}});
}

base::Json to_json(const Subscription& subscription) {
  return base::Json::object(
      {{"arn", subscription.arn},
       {"topic", subscription.topic_arn},
       {"protocol", to_string(subscription.protocol)},
       {"endpoint", subscription.endpoint},
       {"declared", subscription.declared},
       {"confirmed", subscription.confirmed},
       {"removed", subscription.removed},
       {"authenticated_unsubscribe", subscription.authenticated_unsubscribe},
       {"token", subscription.token},
       {"asked", subscription.asked},
       {"token_expires", static_cast<std::int64_t>(subscription.token_expires.time_since_epoch().count())},
       {"attributes", names_to_json(subscription.attributes)}});
}

Result<Topic> topic_from(const base::Json& json) {
  Topic topic;
  topic.arn = json["arn"].string_or("");
  topic.declared = json["declared"].bool_or(false);
  topic.attributes = names_from(json["attributes"]);
  topic.tags = names_from(json["tags"]);
  if (auto settled = settle(topic); !settled) return Error{Errc::kMalformed, settled.error().message}.within(topic.arn);
  return topic;
}

Result<Subscription> subscription_from(const base::Json& json) {
  Subscription subscription;
  subscription.arn = json["arn"].string_or("");
  subscription.topic_arn = json["topic"].string_or("");
  auto protocol = protocol_from(json["protocol"].string_or(""));
  if (!protocol) return protocol.error().within(subscription.arn);
  subscription.protocol = *protocol;
  subscription.endpoint = json["endpoint"].string_or("");
  subscription.declared = json["declared"].bool_or(false);
  subscription.confirmed = json["confirmed"].bool_or(false);
  subscription.removed = json["removed"].bool_or(false);
  subscription.authenticated_unsubscribe = json["authenticated_unsubscribe"].bool_or(false);
  subscription.token = json["token"].string_or("");
  subscription.asked = json["asked"].bool_or(true);
  subscription.token_expires = base::TimePoint{std::chrono::microseconds{json["token_expires"].integer_or(0)}};
  subscription.attributes = names_from(json["attributes"]);
  return subscription;
}

}  // namespace securebase::notify
