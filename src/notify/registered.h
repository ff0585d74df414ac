// Topics and subscriptions as they are registered: what SNS calls their attributes, and what follows from those.
// Immutable once registered; shared.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aws/aws.h"
#include "base/json.h"
#include "notify/delivery_policy.h"
#include "notify/endpoint.h"
#include "notify/filter_policy.h"

namespace securebase::notify {

using Names = std::map<std::string, std::string, std::less<>>;

// The tag and the attribute that ask for a webhook's form where its host does not.
inline constexpr std::string_view kFormatName = "securebase:format";

struct Topic {
  std::string arn;
  Names attributes;  // those that were set: "DisplayName", "DeliveryPolicy", "SignatureVersion", ...
  Names tags;
  bool declared = false;  // by the stack

  // What follows from them; settle() fills it.
  TopicDeliveryPolicy delivery;
  int signature_version = 1;
  std::optional<Format> format;

  std::string name() const { return arn.substr(arn.rfind(':') + 1); }
  std::string display_name() const;
};
using TopicPointer = std::shared_ptr<const Topic>;

struct Subscription {
  std::string arn;
  std::string topic_arn;
  Protocol protocol = Protocol::kHttps;
  std::string endpoint;
  Names attributes;  // "FilterPolicy", "RawMessageDelivery", "RedrivePolicy", ...
  bool declared = false;
  bool confirmed = false;
  // Unsubscribed; kept, and seen by nobody, until the token that brings it back expires.
  bool removed = false;
  bool authenticated_unsubscribe = false;  // only its owner may unsubscribe, not everybody with the link
  std::string token;                       // that confirms it
  base::TimePoint token_expires{};
  bool asked = true;  // a declared one's request to confirm is in the queue, or was: false after a crash before that

  // What follows from them; settle() fills it.
  std::shared_ptr<const FilterPolicy> filter;  // null: everything
  FilterScope scope = FilterScope::kMessageAttributes;
  bool raw = false;
  std::optional<Format> format;  // asked for
  DeliveryPolicy delivery;
  std::string redrive_target;

  // The form of what it is sent.
  Format form(const Topic& topic) const;
  // Whether somebody at the other end has to agree: addresses and webhooks that are not Slack's or PagerDuty's.
  bool needs_confirmation(const Topic& topic) const;
};
using SubscriptionPointer = std::shared_ptr<const Subscription>;

// Checks the attributes and fills what follows from them; the fault is SNS's.
Result<Done, aws::Fault> settle(Topic& topic);
Result<Done, aws::Fault> settle(Subscription& subscription, const Topic& topic);

base::Json to_json(const Topic& topic);
base::Json to_json(const Subscription& subscription);
Result<Topic> topic_from(const base::Json& json);
Result<Subscription> subscription_from(const base::Json& json);

}  // namespace securebase::notify
