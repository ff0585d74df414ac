// aws_sns_topic, aws_sns_topic_subscription, aws_sns_topic_policy.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "base/encoding.h"
#include "base/hash.h"
#include "notify/config.h"

namespace securebase::notify {

namespace {

struct TopicResource {
  std::optional<std::string> name;
  std::string name_prefix;
  std::string display_name;
  std::string delivery_policy;
  std::int64_t signature_version = 1;
  bool fifo_topic = false;
  std::map<std::string, std::string> tags;
};

struct SubscriptionResource {
  std::string topic_arn;
  std::string protocol;
  std::string endpoint;
  std::string filter_policy;
  std::string filter_policy_scope;
  std::string delivery_policy;
  std::string redrive_policy;
  bool raw_message_delivery = false;
};

struct PolicyResource {
  std::string arn;
};

std::string name_of(const TopicResource& topic, const stack::Context& context) {
  if (topic.name) return *topic.name;
  return (topic.name_prefix.empty() ? "terraform-" : topic.name_prefix) +
         base::hex(base::sha256(context.address)).substr(0, 26);
}

std::string arn_of(const TopicResource& topic, const stack::Context& context) {
  return context.arn("sns", name_of(topic, context));
}

// The ARN is all that a link to unsubscribe needs, so it is derived with the master key: the same in every run, and
// nobody's guess.
std::string subscription_arn(const SubscriptionResource& one, const stack::Context& context) {
  const auto seed = fmt::format("{}\n{}\n{}\n{}", context.address, one.topic_arn, one.protocol,
                                base::hex(base::sha256(one.endpoint)));
  const auto digits = context.derive_secret ? context.derive_secret(seed + "\nsubscription", 32, "0123456789abcdef")
                                            : base::hex(base::sha256(seed)).substr(0, 32);
  return fmt::format("{}:{}-{}-{}-{}-{}", one.topic_arn, digits.substr(0, 8), digits.substr(8, 4), digits.substr(12, 4),
                     digits.substr(16, 4), digits.substr(20));
}

auto topic_block() {
  auto block =
      stack::resource<TopicResource>("aws_sns_topic", "notify",
                                     "A topic: what is published to it goes to all subscribers.")
          .attribute("name", &TopicResource::name, std::nullopt, stack::matches("[A-Za-z0-9_-]{1,256}(\\.fifo)?"),
                     "Its name.")
          .replaces()
          .attribute("name_prefix", &TopicResource::name_prefix, "", "Begins the name when no name is given.")
          .replaces()
          .attribute("display_name", &TopicResource::display_name, "", stack::length(0, 100),
                     "Who mails are from, as people read it.")
          .attribute("delivery_policy", &TopicResource::delivery_policy, "",
                     "JSON: when webhooks are tried again, and how often they are called.")
          .attribute("signature_version", &TopicResource::signature_version, 1, stack::between(1, 2),
                     "1: messages are signed with SHA1withRSA; 2: SHA256withRSA.")
          .attribute("fifo_topic", &TopicResource::fifo_topic, false, "FIFO topics are not done.")
          .attribute("tags", &TopicResource::tags, {},
                     "Labels. securebase:format = slack, pagerduty or sns is the form of what its webhooks are sent.")
          .known("policy", "whoever holds the platform's credentials may publish")
          .known("tracing_config", "deliveries are not traced")
          .known("kms_master_key_id", "the queue is not encrypted; put the state directory on an encrypted disk")
          .known("content_based_deduplication", "it is for FIFO topics")
          .known("fifo_throughput_scope", "it is for FIFO topics")
          .known("archive_policy", "it is for FIFO topics");
  for (const auto* protocol : {"application", "firehose", "http", "lambda", "sqs"}) {
    for (const auto* what :
         {"failure_feedback_role_arn", "success_feedback_role_arn", "success_feedback_sample_rate"}) {
      block.known(fmt::format("{}_{}", protocol, what), "every delivery is in the delivery log");
    }
  }
  return block.computed("name", name_of)
      .computed("arn", arn_of)
      .computed("id", arn_of)
      .computed("owner", [](const TopicResource&, const stack::Context& context) { return context.account; })
      .rule("Either name or name_prefix is set, not both.",
            [](const TopicResource& topic) { return !topic.name || topic.name_prefix.empty(); })
      .rule(
          "FIFO topics are not done by SecureBase; standard topics deliver to mail, Slack and PagerDuty in order.",
          [](const TopicResource& topic) { return !topic.fifo_topic && !topic.name.value_or("").ends_with(".fifo"); });
}

auto subscription_block() {
  return stack::resource<SubscriptionResource>("aws_sns_topic_subscription", "notify",
                                               "Who gets a topic's messages, and which of them.")
      .required("topic_arn", &SubscriptionResource::topic_arn, "The topic.")
      .replaces()
      .required("protocol", &SubscriptionResource::protocol, "email, email-json, http, https or lambda.")
      .replaces()
      .required("endpoint", &SubscriptionResource::endpoint, "A mail address, a URL, or a function's ARN.")
      .replaces()
      .attribute("filter_policy", &SubscriptionResource::filter_policy, "", "JSON: which messages it gets.")
      .attribute("filter_policy_scope", &SubscriptionResource::filter_policy_scope, "",
                 "MessageAttributes (the default) or MessageBody: what the filter policy looks at.")
      .attribute("raw_message_delivery", &SubscriptionResource::raw_message_delivery, false,
                 "Webhooks get the message alone, without SNS's JSON around it.")
      .attribute("delivery_policy", &SubscriptionResource::delivery_policy, "",
                 "JSON: when this webhook is tried again, in place of the topic's.")
      .attribute("redrive_policy", &SubscriptionResource::redrive_policy, "",
                 "JSON with deadLetterTargetArn. What cannot be delivered goes to the platform's dead-letter list.")
      .known("endpoint_auto_confirms", "an apply waits for no confirmation")
      .known("confirmation_timeout_in_minutes", "an apply waits for no confirmation")
      .known("subscription_role_arn", "it is for Firehose")
      .known("replay_policy", "it is for FIFO topics")
      .computed("arn", subscription_arn)
      .computed("id", subscription_arn)
      .computed("owner_id", [](const SubscriptionResource&, const stack::Context& context) { return context.account; })
      .computed("confirmation_was_authenticated", [](const SubscriptionResource&) { return false; });
}

auto policy_block() {
  return stack::resource<PolicyResource>("aws_sns_topic_policy", "notify", "Who may publish and subscribe.")
      .required("arn", &PolicyResource::arn, "The topic.")
      .known("policy", "whoever holds the platform's credentials may publish")
      .computed("id", [](const PolicyResource& policy) { return policy.arn; })
      .computed("owner", [](const PolicyResource&, const stack::Context& context) { return context.account; });
}

Topic topic_of(const TopicResource& resource, const stack::Value& attributes) {
  Topic topic;
  topic.arn = attributes["arn"].string();
  if (!resource.display_name.empty()) topic.attributes["DisplayName"] = resource.display_name;
  if (!resource.delivery_policy.empty()) topic.attributes["DeliveryPolicy"] = resource.delivery_policy;
  if (resource.signature_version != 1)
    topic.attributes["SignatureVersion"] = std::to_string(resource.signature_version);
  for (const auto& [name, value] : resource.tags) topic.tags[name] = value;
  return topic;
}

Result<Subscription> subscription_of(const SubscriptionResource& resource, const stack::Value& attributes) {
  auto protocol = protocol_from(resource.protocol);
  if (!protocol) return protocol.error();
  auto endpoint = check_endpoint(*protocol, resource.endpoint);
  if (!endpoint) return endpoint.error();
  Subscription one;
  one.arn = attributes["arn"].string();
  one.topic_arn = resource.topic_arn;
  one.protocol = *protocol;
  one.endpoint = *endpoint;
  const auto set = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) one.attributes[std::string(name)] = value;
  };
  set("FilterPolicy", resource.filter_policy == "{}" ? "" : resource.filter_policy);
  set("FilterPolicyScope", resource.filter_policy_scope);
  set("DeliveryPolicy", resource.delivery_policy);
  set("RedrivePolicy", resource.redrive_policy == "{}" ? "" : resource.redrive_policy);
  if (resource.raw_message_delivery) one.attributes["RawMessageDelivery"] = "true";
  return one;
}

}  // namespace

void declare(stack::Catalogue& catalogue) {
  catalogue.add(topic_block());
  catalogue.add(subscription_block());
  catalogue.add(policy_block());
}

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  stack::Diagnostics wrong;
  auto config = std::make_shared<Config>();
  std::map<std::string, const Topic*> topics;
  const auto declared = stack.all<TopicResource>("aws_sns_topic");
  config->topics.reserve(declared.size());
  for (const auto& found : declared) {
    auto topic = topic_of(found.value, found.resource.attributes);
    if (auto settled = settle(topic); !settled)
      wrong.error("Invalid topic", settled.error().message, found.resource.range());
    if (topics.contains(topic.arn)) {
      wrong.error("Topic declared twice", fmt::format("There is another topic {} in these files.", topic.arn),
                  found.resource.range());
      continue;
    }
    config->topics.push_back(std::move(topic));
    topics.emplace(config->topics.back().arn, &config->topics.back());
  }
  std::set<std::string> receivers;
  for (const auto& found : stack.all<SubscriptionResource>("aws_sns_topic_subscription")) {
    auto one = subscription_of(found.value, found.resource.attributes);
    if (!one) {
      wrong.error("Invalid subscription", one.error().message, found.resource.range());
      continue;
    }
    const auto topic = topics.find(one->topic_arn);
    if (topic == topics.end()) {
      wrong.error("No such topic",
                  fmt::format("topic_arn \"{}\" names no aws_sns_topic of these files.", one->topic_arn),
                  found.resource.range());
      continue;
    }
    if (!receivers.insert(fmt::format("{} {} {}", one->topic_arn, to_string(one->protocol), one->endpoint)).second) {
      wrong.error("Subscribed twice", "Another subscription of these files has the same topic, protocol and endpoint.",
                  found.resource.range());
    }
    if (auto settled = settle(*one, *topic->second); !settled) {
      wrong.error("Invalid subscription", settled.error().message, found.resource.range());
    }
    config->subscriptions.push_back(std::move(*one));
  }
  if (wrong.has_errors()) return wrong;
  return std::shared_ptr<const Config>(std::move(config));
}

}  // namespace securebase::notify
