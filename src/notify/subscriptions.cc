#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "notify/engine.h"

namespace securebase::notify {

namespace {

constexpr std::size_t kTokenDigits = 64;

std::string confirmation_words(Message::Kind kind, std::string_view topic_arn, std::string_view subscription_arn) {
  if (kind == Message::Kind::kUnsubscribeConfirmation) {
    return fmt::format(
        "You have chosen to deactivate subscription {}.\nTo cancel this operation and restore the "
        "subscription, visit the SubscribeURL included in this message.",
        subscription_arn);
  }
  return fmt::format(
      "You have chosen to subscribe to the topic {}.\nTo confirm the subscription, visit the SubscribeURL "
      "included in this message.",
      topic_arn);
}

aws::Fault no_subscription() { return not_found("Subscription does not exist"); }

}  // namespace

Answered<SubscriptionPointer> Notify::Engine::subscription(std::string_view arn) const {
  const auto found = registry->get()->subscription(arn);
  if (found && !found->removed) return found;
  if (!arn.starts_with("arn:")) {
    return invalid_parameter("SubscriptionArn", fmt::format("\"{}\" is no ARN of a subscription", arn));
  }
  return no_subscription();
}

void Notify::Engine::await_confirmation(Subscription& subscription) const {
  subscription.confirmed = false;
  subscription.removed = false;
  subscription.asked = false;
  subscription.token = base::random_hex(kTokenDigits);
  subscription.token_expires = doors.clock.now() + settings.limits.confirmation_time;
}

// Through the queue, as every message: a receiver that is away now is asked later. When it is full, the receiver is not
// asked; the next Subscribe or apply does.
void Notify::Engine::ask_to_confirm(const Subscription& subscription, Message::Kind kind) {
  auto message = std::make_shared<Message>();
  message->kind = kind;
  message->id = base::random_uuid();
  message->topic_arn = subscription.topic_arn;
  message->text = confirmation_words(kind, subscription.topic_arn, subscription.arn);
  message->token = subscription.token;
  message->published = doors.clock.now();
  if (auto added = queue->add(std::move(message), {subscription.arn}); !added) {
    base::log(base::Level::kWarning, "notify", "{} is not asked to confirm: {}", subscription.arn,
              added.error().message);
    return;
  }
  if (!subscription.declared) return;  // who subscribed by the API asks again himself
  const auto noted = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto there = registered.subscription(subscription.arn);
    if (!there || there->token != subscription.token) return Done{};
    Subscription asked = *there;
    asked.asked = true;
    registered.put(std::move(asked));
    return Done{};
  });
  static_cast<void>(noted.has_value());  // logged there; it is asked twice then
}

void Notify::Engine::sweep(Registered& registered) const {
  const auto now = doors.clock.now();
  std::vector<std::string> expired;
  for (const auto& [arn, one] : registered.subscriptions) {
    if (!one->confirmed && one->token_expires < now && (one->removed || !one->declared)) expired.push_back(arn);
  }
  for (const auto& arn : expired) registered.remove_subscription(arn);
}

void Notify::Engine::forget_unknown() {
  const auto now = registry->get();
  queue->retain([&](const std::string& known) { return now->subscription(known) != nullptr; });
}

Answered<SubscriptionPointer> Notify::Engine::subscribe(NewSubscription wanted) {
  auto protocol = protocol_from(wanted.protocol);
  if (!protocol) return invalid_parameter("Protocol", protocol.error().message);
  auto there = topic(wanted.topic_arn);
  if (!there) return there.error();
  auto endpoint = check_endpoint(*protocol, wanted.endpoint);
  if (!endpoint) return invalid_parameter("Endpoint", endpoint.error().message);
  Subscription made;
  made.arn = fmt::format("{}:{}", wanted.topic_arn, base::random_uuid());
  made.topic_arn = wanted.topic_arn;
  made.protocol = *protocol;
  made.endpoint = *endpoint;
  made.attributes = std::move(wanted.attributes);
  if (auto settled = settle(made, **there); !settled) return settled.error();
  bool ask = false;
  auto arn = made.arn;
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    sweep(registered);
    const auto topic = registered.topic(made.topic_arn);
    if (!topic) return not_found("Topic does not exist");
    for (const auto& one : registered.of_topic(made.topic_arn)) {
      if (one->removed || one->protocol != made.protocol || one->endpoint != made.endpoint) continue;
      if (!made.attributes.empty() && one->attributes != made.attributes) {
        return invalid_parameter("Attributes", "Subscription already exists with different attributes");
      }
      arn = one->arn;
      if (one->confirmed) return Done{};
      Subscription again = *one;
      await_confirmation(again);
      registered.put(std::move(again));
      ask = true;
      return Done{};
    }
    if (registered.subscriptions.size() >= settings.limits.subscriptions) {
      return aws::Fault{"SubscriptionLimitExceeded",
                        fmt::format("there are {} subscriptions, as many as may be", registered.subscriptions.size()),
                        403,
                        {}};
    }
    if (made.needs_confirmation(*topic)) {
      await_confirmation(made);
      ask = true;
    } else {
      made.confirmed = true;
    }
    registered.put(made);
    return Done{};
  });
  if (!changed) return changed.error();
  forget_unknown();
  auto kept = registry->get()->subscription(arn);
  if (!kept) return no_subscription();
  if (ask) ask_to_confirm(*kept, Message::Kind::kSubscriptionConfirmation);
  return kept;
}

Answered<SubscriptionPointer> Notify::Engine::confirm(std::string_view topic_arn, std::string_view token,
                                                      bool authenticated_unsubscribe) {
  if (auto there = topic(topic_arn); !there) return there.error();
  std::string arn;
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    for (const auto& one : registered.of_topic(topic_arn)) {
      if (one->token.empty() || !base::equal_in_constant_time(one->token, token)) continue;
      arn = one->arn;
      if (one->confirmed) return Done{};  // a link that is opened twice
      if (one->token_expires < doors.clock.now()) {
        return invalid_parameter("Token", "it has expired; subscribe again");
      }
      Subscription confirmed = *one;
      confirmed.confirmed = true;
      confirmed.removed = false;
      confirmed.authenticated_unsubscribe = authenticated_unsubscribe;
      registered.put(std::move(confirmed));
      return Done{};
    }
    return invalid_parameter("Token", "no subscription of this topic waits for it");
  });
  if (!changed) return changed.error();
  return subscription(arn);
}

Answered<Done> Notify::Engine::confirm_by_operator(std::string_view arn) {
  return registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto there = registered.subscription(arn);
    if (!there) return no_subscription();
    Subscription confirmed = *there;
    confirmed.confirmed = true;
    confirmed.removed = false;
    registered.put(std::move(confirmed));
    return Done{};
  });
}

Answered<Done> Notify::Engine::unsubscribe(std::string_view arn, Caller caller) {
  auto there = subscription(arn);
  if (!there) return there.error();
  const auto before = *there;
  if (caller == Caller::kAnybody && before->authenticated_unsubscribe) {
    return aws::Fault{"AuthorizationError",
                      "This subscription was confirmed with AuthenticateOnUnsubscribe; sign the request",
                      403,
                      {}};
  }
  std::shared_ptr<const Subscription> undone;
  auto changed = registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto topic = registered.topic(before->topic_arn);
    // Who agreed is told, and may come back within three days.
    if (!topic || !before->confirmed || !before->needs_confirmation(*topic)) {
      registered.remove_subscription(before->arn);
      return Done{};
    }
    Subscription removed = *before;
    await_confirmation(removed);
    removed.removed = true;
    undone = std::make_shared<const Subscription>(removed);
    registered.put(std::move(removed));
    return Done{};
  });
  if (!changed) return changed;
  queue->forget(before->arn);
  if (undone) ask_to_confirm(*undone, Message::Kind::kUnsubscribeConfirmation);
  return Done{};
}

Answered<Done> Notify::Engine::set_subscription_attribute(std::string_view arn, std::string_view name,
                                                          std::string_view value) {
  if (auto there = subscription(arn); !there) return there.error();
  return registry->change([&](Registered& registered) -> Result<Done, aws::Fault> {
    const auto there = registered.subscription(arn);
    const auto topic = there ? registered.topic(there->topic_arn) : nullptr;
    if (!topic) return no_subscription();
    Subscription changed = *there;
    const bool nothing = value.empty() || (value == "{}" && name != "DeliveryPolicy");
    changed.attributes.insert_or_assign(std::string(name), nothing ? std::string() : std::string(value));
    if (auto settled = settle(changed, *topic); !settled) return settled;
    if (nothing) changed.attributes.erase(std::string(name));
    registered.put(std::move(changed));
    return Done{};
  });
}

}  // namespace securebase::notify
