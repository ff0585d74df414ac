#include "notify/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "notify/engine.h"

namespace securebase::notify {

namespace {

using aws::Call;
using aws::Fault;
using aws::Outcome;
using aws::Value;
using Engine = Notify::Engine;

constexpr std::size_t kPage = 100;  // SNS's own
constexpr std::size_t kBatch = 10;
constexpr std::size_t kBatchIdBytes = 80;
constexpr std::string_view kPending = "PendingConfirmation";

std::string text(const Value& value) { return std::string(value.string_or("")); }

Names names_of(const Value& map) {
  Names names;
  for (const auto& [name, value] : map.members()) names.insert_or_assign(name, text(value));
  return names;
}

Value as_map(const Names& names) {
  Value map = Value::structure();
  for (const auto& [name, value] : names) map.set(name, value);
  return map;
}

Names tags_from(const Value& list) {
  Names tags;
  for (const auto& tag : list.elements()) tags.insert_or_assign(text(tag["Key"]), text(tag["Value"]));
  return tags;
}

// Elements sorted by key; the token is the last key shown, so it stays good when others come and go.
template <class T, class Key, class Show>
Outcome page_of(const Call& call, const std::vector<T>& sorted, std::string_view member, Key key, Show show) {
  auto begin = sorted.begin();
  if (const auto token = call.input["NextToken"].string_or(""); !token.empty()) {
    const auto after = base::from_base64url(token);
    if (!after || !after->starts_with("arn:")) return invalid_parameter("NextToken", "it is none that was given out");
    begin = std::upper_bound(sorted.begin(), sorted.end(), *after,
                             [&](const std::string& last, const T& one) { return last < key(one); });
  }
  const auto end = sorted.end() - begin > static_cast<std::ptrdiff_t>(kPage) ? begin + kPage : sorted.end();
  Value list = Value::list();
  for (auto one = begin; one != end; ++one) list.push_back(show(*one));
  Value output = Value::structure({{std::string(member), std::move(list)}});
  if (end != sorted.end()) output.set("NextToken", base::base64url(key(*(end - 1))));
  return aws::Answer(std::move(output));
}

// --- topics -----------------------------------------------------------------------------------------------------

Outcome create_topic(Engine& engine, const Call& call) {
  if (!call.input["DataProtectionPolicy"].string_or("").empty()) {
    return invalid_parameter("DataProtectionPolicy", "it is not done by SecureBase");
  }
  auto arn = engine.create_topic(call.input["Name"].string_or(""), names_of(call.input["Attributes"]),
                                 tags_from(call.input["Tags"]));
  if (!arn) return arn.error();
  return aws::Answer(Value::structure({{"TopicArn", *arn}}));
}

Outcome delete_topic(Engine& engine, const Call& call) {
  auto done = engine.delete_topic(call.input["TopicArn"].string_or(""));
  if (!done) return done.error();
  return aws::Answer();
}

Outcome list_topics(Engine& engine, const Call& call) {
  const auto registered = engine.registry->get();
  std::vector<TopicPointer> topics;
  for (const auto& [arn, topic] : registered->topics) topics.push_back(topic);
  return page_of(
      call, topics, "Topics", [](const TopicPointer& topic) { return topic->arn; },
      [](const TopicPointer& topic) {
        return Value::structure({{"TopicArn", topic->arn}});
      });
}

// What anybody with the account's credentials may do: SNS's own default.
std::string default_policy(const Topic& topic, std::string_view account) {
  return base::Json::object(
             {{"Version", "2008-10-17"},
              {"Id", "__default_policy_ID"},
              {"Statement",
               base::Json::array({base::Json::object(
                   {{"Sid", "__default_statement_ID"},
                    {"Effect", "Allow"},
                    {"Principal", base::Json::object({{"AWS", "*"}})},
                    {"Action", base::Json::array({"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:DeleteTopic",
                                                  "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"})},
                    {"Resource", topic.arn},
                    {"Condition",
                     base::Json::object({{"StringEquals", base::Json::object({{"AWS:SourceOwner", account}})}})}})})}})
      .dump();
}

std::string effective_topic_policy(const Topic& topic) {
  base::Json http;
  http.set("defaultHealthyRetryPolicy", topic.delivery.defaults.retry.value_or(for_customer_managed()).to_json());
  http.set("disableSubscriptionOverrides", topic.delivery.overrides_disabled);
  if (topic.delivery.defaults.receives_per_second) {
    http.set("defaultThrottlePolicy",
             base::Json::object({{"maxReceivesPerSecond", *topic.delivery.defaults.receives_per_second}}));
  }
  return base::Json::object({{"http", std::move(http)}}).dump();
}

Outcome get_topic_attributes(Engine& engine, const Call& call) {
  auto topic = engine.topic(call.input["TopicArn"].string_or(""));
  if (!topic) return topic.error();
  const auto registered = engine.registry->get();
  std::size_t confirmed = 0, pending = 0;
  for (const auto& one : registered->of_topic((*topic)->arn)) {
    if (!one->removed) ++(one->confirmed ? confirmed : pending);
  }
  Names shown{{"TopicArn", (*topic)->arn},
              {"Owner", engine.settings.account},
              {"DisplayName", ""},
              {"Policy", default_policy(**topic, engine.settings.account)},
              {"SubscriptionsConfirmed", std::to_string(confirmed)},
              {"SubscriptionsPending", std::to_string(pending)},
              {"SubscriptionsDeleted", "0"},
              {"EffectiveDeliveryPolicy", effective_topic_policy(**topic)}};
  for (const auto& [name, value] : (*topic)->attributes) shown.insert_or_assign(name, value);
  return aws::Answer(Value::structure({{"Attributes", as_map(shown)}}));
}

Outcome set_topic_attributes(Engine& engine, const Call& call) {
  auto done =
      engine.set_topic_attribute(call.input["TopicArn"].string_or(""), call.input["AttributeName"].string_or(""),
                                 call.input["AttributeValue"].string_or(""));
  if (!done) return done.error();
  return aws::Answer();
}

Outcome tag_resource(Engine& engine, const Call& call) {
  std::map<std::string, std::optional<std::string>> tags;
  for (const auto& tag : call.input["Tags"].elements()) tags.insert_or_assign(text(tag["Key"]), text(tag["Value"]));
  auto done = engine.tag_topic(call.input["ResourceArn"].string_or(""), tags);
  if (!done) return done.error();
  return aws::Answer(Value::structure());
}

Outcome untag_resource(Engine& engine, const Call& call) {
  std::map<std::string, std::optional<std::string>> tags;
  for (const auto& key : call.input["TagKeys"].elements()) tags.insert_or_assign(text(key), std::nullopt);
  auto done = engine.tag_topic(call.input["ResourceArn"].string_or(""), tags);
  if (!done) return done.error();
  return aws::Answer(Value::structure());
}

Outcome list_tags(Engine& engine, const Call& call) {
  const auto topic = engine.registry->get()->topic(call.input["ResourceArn"].string_or(""));
  if (!topic) return Fault{"ResourceNotFound", "Resource does not exist", 404, {}};
  Value tags = Value::list();
  for (const auto& [key, value] : topic->tags) tags.push_back(Value::structure({{"Key", key}, {"Value", value}}));
  return aws::Answer(Value::structure({{"Tags", std::move(tags)}}));
}

// --- subscriptions ----------------------------------------------------------------------------------------------

Outcome subscribe(Engine& engine, const Call& call) {
  NewSubscription wanted{text(call.input["TopicArn"]), text(call.input["Protocol"]), text(call.input["Endpoint"]),
                         names_of(call.input["Attributes"])};
  auto made = engine.subscribe(std::move(wanted));
  if (!made) return made.error();
  const bool shown = (*made)->confirmed || call.input["ReturnSubscriptionArn"].bool_or(false);
  return aws::Answer(
      Value::structure({{"SubscriptionArn", shown ? (*made)->arn : std::string("pending confirmation")}}));
}

Outcome confirm_subscription(Engine& engine, const Call& call) {
  auto confirmed = engine.confirm(call.input["TopicArn"].string_or(""), call.input["Token"].string_or(""),
                                  call.input["AuthenticateOnUnsubscribe"].string_or("") == "true");
  if (!confirmed) return confirmed.error();
  return aws::Answer(Value::structure({{"SubscriptionArn", (*confirmed)->arn}}));
}

Outcome unsubscribe(Engine& engine, const Call& call) {
  const auto caller = call.identity.access_key_id.empty() ? Caller::kAnybody : Caller::kAuthenticated;
  auto done = engine.unsubscribe(call.input["SubscriptionArn"].string_or(""), caller);
  if (!done) return done.error();
  return aws::Answer();
}

Value entry_of(const Subscription& one, std::string_view account) {
  std::string endpoint = one.endpoint;
  if (const auto url = http::parse_url(endpoint); url && !url->user_info.empty()) {
    endpoint = without_secrets(one.protocol, Format::kSns, endpoint);
  }
  return Value::structure({{"SubscriptionArn", one.confirmed ? one.arn : std::string(kPending)},
                           {"Owner", account},
                           {"Protocol", to_string(one.protocol)},
                           {"Endpoint", endpoint},
                           {"TopicArn", one.topic_arn}});
}

Outcome list_of(Engine& engine, const Call& call, std::vector<SubscriptionPointer> all) {
  std::erase_if(all, [](const auto& one) { return one->removed; });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->arn < b->arn; });
  return page_of(
      call, all, "Subscriptions", [](const SubscriptionPointer& one) { return one->arn; },
      [&](const SubscriptionPointer& one) { return entry_of(*one, engine.settings.account); });
}

Outcome list_subscriptions(Engine& engine, const Call& call) {
  std::vector<SubscriptionPointer> all;
  for (const auto& [arn, one] : engine.registry->get()->subscriptions) all.push_back(one);
  return list_of(engine, call, std::move(all));
}

Outcome list_subscriptions_by_topic(Engine& engine, const Call& call) {
  auto topic = engine.topic(call.input["TopicArn"].string_or(""));
  if (!topic) return topic.error();
  return list_of(engine, call, engine.registry->get()->of_topic((*topic)->arn));
}

Outcome get_subscription_attributes(Engine& engine, const Call& call) {
  auto found = engine.subscription(call.input["SubscriptionArn"].string_or(""));
  if (!found) return found.error();
  const auto& one = **found;
  auto topic = engine.topic(one.topic_arn);
  if (!topic) return topic.error();
  const auto yes = [](bool truth) { return std::string(truth ? "true" : "false"); };
  const auto entry = entry_of(one, engine.settings.account);
  Names names{{"SubscriptionArn", one.arn},
              {"TopicArn", one.topic_arn},
              {"Owner", engine.settings.account},
              {"Protocol", std::string(to_string(one.protocol))},
              {"Endpoint", text(entry["Endpoint"])},
              {"PendingConfirmation", yes(!one.confirmed)},
              {"ConfirmationWasAuthenticated", yes(one.authenticated_unsubscribe)},
              {"RawMessageDelivery", "false"}};
  if (one.filter) names.emplace("FilterPolicyScope", "MessageAttributes");
  if (one.protocol == Protocol::kHttp || one.protocol == Protocol::kHttps) {
    const auto policy = effective((*topic)->delivery, one.delivery);
    base::Json json = base::Json::object(
        {{"healthyRetryPolicy", policy.retry.value_or(for_customer_managed()).to_json()}, {"guaranteed", false}});
    names.emplace("EffectiveDeliveryPolicy", json.dump());
  }
  for (const auto& [name, value] : one.attributes) names.insert_or_assign(name, value);
  return aws::Answer(Value::structure({{"Attributes", as_map(names)}}));
}

Outcome set_subscription_attributes(Engine& engine, const Call& call) {
  auto done = engine.set_subscription_attribute(call.input["SubscriptionArn"].string_or(""),
                                                call.input["AttributeName"].string_or(""),
                                                call.input["AttributeValue"].string_or(""));
  if (!done) return done.error();
  return aws::Answer();
}

// --- publishing -------------------------------------------------------------------------------------------------

Result<Publication, Fault> publication_from(const Value& input) {
  Publication publication;
  publication.message = text(input["Message"]);
  if (const auto* subject = input["Subject"].as_string()) publication.subject = *subject;
  const auto structure = input["MessageStructure"].string_or("");
  if (!structure.empty() && structure != "json") {
    return invalid_parameter("MessageStructure", fmt::format("expected json, got \"{}\"", structure));
  }
  publication.by_protocol = structure == "json";
  if (!input["MessageGroupId"].string_or("").empty() || !input["MessageDeduplicationId"].string_or("").empty()) {
    return invalid_parameter("MessageGroupId", "the parameter is for FIFO topics, and this topic is none");
  }
  for (const auto& [name, value] : input["MessageAttributes"].members()) {
    Attribute attribute{text(value["DataType"]), text(value["StringValue"])};
    if (const auto* blob = value["BinaryValue"].as_blob()) attribute.value = blob->bytes;
    publication.attributes.insert_or_assign(name, std::move(attribute));
  }
  return publication;
}

Outcome publish(Engine& engine, const Call& call) {
  if (!call.input["PhoneNumber"].string_or("").empty()) {
    return invalid_parameter("PhoneNumber", "text messages are not done by SecureBase; it publishes to topics");
  }
  auto publication = publication_from(call.input);
  if (!publication) return publication.error();
  publication->topic_arn = text(call.input["TopicArn"]);
  if (publication->topic_arn.empty()) publication->topic_arn = text(call.input["TargetArn"]);
  if (publication->topic_arn.empty()) return invalid_parameter("TopicArn", "TopicArn or TargetArn is expected");
  auto id = engine.publish(std::move(*publication));
  if (!id) return id.error();
  return aws::Answer(Value::structure({{"MessageId", *id}}));
}

std::optional<Fault> wrong_batch(const Value::List& entries) {
  if (entries.empty()) return Fault{"EmptyBatchRequest", "The batch request doesn't contain any entries", 400, {}};
  if (entries.size() > kBatch) {
    return Fault{"TooManyEntriesInBatchRequest", fmt::format("{} entries, of {}", entries.size(), kBatch), 400, {}};
  }
  std::set<std::string> ids;
  std::size_t size = 0;
  for (const auto& entry : entries) {
    const auto id = text(entry["Id"]);
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (id.empty() || id.size() > kBatchIdBytes || !std::all_of(id.begin(), id.end(), fits)) {
      return Fault{"InvalidBatchEntryId", "An Id has 1 to 80 of the characters A-Z a-z 0-9 _ -", 400, {}};
    }
    if (!ids.insert(id).second) {
      return Fault{"BatchEntryIdsNotDistinct", fmt::format("Id {} is there twice", id), 400, {}};
    }
    size += entry["Message"].string_or("").size();
  }
  if (size > kMessageBytes) {
    return Fault{"BatchRequestTooLong", fmt::format("{} bytes, of {}", size, kMessageBytes), 400, {}};
  }
  return std::nullopt;
}

Outcome publish_batch(Engine& engine, const Call& call) {
  const auto arn = text(call.input["TopicArn"]);
  if (auto topic = engine.topic(arn); !topic) return topic.error();
  const auto& entries = call.input["PublishBatchRequestEntries"].elements();
  if (auto wrong = wrong_batch(entries)) return *wrong;
  Value successful = Value::list(), failed = Value::list();
  for (const auto& entry : entries) {
    auto publication = publication_from(entry);
    Result<std::string, Fault> id =
        publication ? Result<std::string, Fault>(std::string()) : Result<std::string, Fault>(publication.error());
    if (publication) {
      publication->topic_arn = arn;
      id = engine.publish(std::move(*publication));
    }
    if (id) {
      successful.push_back(Value::structure({{"Id", entry["Id"]}, {"MessageId", *id}}));
      continue;
    }
    failed.push_back(Value::structure({{"Id", entry["Id"]},
                                       {"Code", id.error().code},
                                       {"Message", id.error().message},
                                       {"SenderFault", id.error().status < 500}}));
  }
  return aws::Answer(Value::structure({{"Successful", std::move(successful)}, {"Failed", std::move(failed)}}));
}

}  // namespace

std::vector<std::pair<std::string_view, aws::Handler>> operations_of(Notify& notify) {
  auto& engine = notify.engine();
  const auto bound = [&engine](Outcome (*operation)(Engine&, const Call&)) -> aws::Handler {
    return [&engine, operation](const Call& call) { return operation(engine, call); };
  };
  return {{"CreateTopic", bound(create_topic)},
          {"DeleteTopic", bound(delete_topic)},
          {"ListTopics", bound(list_topics)},
          {"GetTopicAttributes", bound(get_topic_attributes)},
          {"SetTopicAttributes", bound(set_topic_attributes)},
          {"TagResource", bound(tag_resource)},
          {"UntagResource", bound(untag_resource)},
          {"ListTagsForResource", bound(list_tags)},
          {"Subscribe", bound(subscribe)},
          {"ConfirmSubscription", bound(confirm_subscription)},
          {"Unsubscribe", bound(unsubscribe)},
          {"ListSubscriptions", bound(list_subscriptions)},
          {"ListSubscriptionsByTopic", bound(list_subscriptions_by_topic)},
          {"GetSubscriptionAttributes", bound(get_subscription_attributes)},
          {"SetSubscriptionAttributes", bound(set_subscription_attributes)},
          {"Publish", bound(publish)},
          {"PublishBatch", bound(publish_batch)}};
}

}  // namespace securebase::notify
