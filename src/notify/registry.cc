#include "notify/registry.h"

#include <algorithm>

#include "base/file.h"
#include "base/log.h"

namespace securebase::notify {

TopicPointer Registered::topic(std::string_view arn) const {
  const auto found = topics.find(arn);
  return found == topics.end() ? nullptr : found->second;
}

SubscriptionPointer Registered::subscription(std::string_view arn) const {
  const auto found = subscriptions.find(arn);
  return found == subscriptions.end() ? nullptr : found->second;
}

const std::vector<SubscriptionPointer>& Registered::of_topic(std::string_view arn) const {
  static const std::vector<SubscriptionPointer> none;
  const auto found = by_topic.find(arn);
  return found == by_topic.end() ? none : found->second;
}

void Registered::put(Topic topic) {
  const auto arn = topic.arn;
  topics.insert_or_assign(arn, std::make_shared<const Topic>(std::move(topic)));
}

void Registered::put(Subscription subscription) {
  auto made = std::make_shared<const Subscription>(std::move(subscription));
  auto& siblings = by_topic[made->topic_arn];
  const auto same =
      std::find_if(siblings.begin(), siblings.end(), [&](const auto& one) { return one->arn == made->arn; });
  if (same == siblings.end()) {
    siblings.push_back(made);
  } else {
    *same = made;
  }
  subscriptions.insert_or_assign(made->arn, made);
}

void Registered::remove_topic(const std::string& arn) {
  for (const auto& subscription : of_topic(arn)) subscriptions.erase(subscription->arn);
  by_topic.erase(arn);
  topics.erase(arn);
}

void Registered::remove_subscription(const std::string& arn) {
  const auto gone = subscription(arn);
  if (!gone) return;
  std::erase_if(by_topic[gone->topic_arn], [&](const auto& one) { return one->arn == arn; });
  subscriptions.erase(arn);
}

Registry::Registry(std::filesystem::path file)
    : file_(std::move(file)), registered_(std::make_shared<const Registered>()) {}

Result<std::unique_ptr<Registry>> Registry::open(std::filesystem::path file) {
  std::unique_ptr<Registry> registry(new Registry(std::move(file)));
  if (auto loaded = registry->load(); !loaded) return loaded.error().within(registry->file_.native());
  return registry;
}

Result<Done> Registry::load() {
  std::error_code ignored;
  if (!std::filesystem::exists(file_, ignored)) return Done{};
  auto text = base::read_file(file_);
  if (!text) return text.error();
  const auto json = base::Json::parse(*text);
  if (!json) return json.error();
  auto registered = std::make_shared<Registered>();
  if (const auto* topics = (*json)["topics"].as_array()) {
    for (const auto& one : *topics) {
      auto topic = topic_from(one);
      if (!topic) return topic.error();
      registered->put(std::move(*topic));
    }
  }
  if (const auto* subscriptions = (*json)["subscriptions"].as_array()) {
    for (const auto& one : *subscriptions) {
      auto subscription = subscription_from(one);
      if (!subscription) return subscription.error();
      const auto topic = registered->topic(subscription->topic_arn);
      if (!topic) continue;
      if (auto settled = settle(*subscription, *topic); !settled) {
        return Error{Errc::kMalformed, settled.error().message}.within(subscription->arn);
      }
      registered->put(std::move(*subscription));
    }
  }
  registered_.set(std::move(registered));
  return Done{};
}

Result<Done, aws::Fault> Registry::change(const std::function<Result<Done, aws::Fault>(Registered&)>& work) {
  const std::lock_guard lock(changing_);
  auto changed = std::make_shared<Registered>(*registered_.get());
  if (auto done = work(*changed); !done) return done;
  base::Json topics = base::Json::array();
  for (const auto& [arn, topic] : changed->topics) topics.push_back(to_json(*topic));
  base::Json subscriptions = base::Json::array();
  for (const auto& [arn, subscription] : changed->subscriptions) subscriptions.push_back(to_json(*subscription));
  const auto text =
      base::Json::object({{"topics", std::move(topics)}, {"subscriptions", std::move(subscriptions)}}).dump();
  // 0600: endpoints hold keys of Slack and PagerDuty, and tokens confirm.
  if (auto kept = base::replace_file(file_, text, 0600); !kept) {
    base::log(base::Level::kError, "notify", "topics cannot be kept: {}", kept.error().message);
    return aws::Fault{"InternalError", "The change cannot be kept: " + kept.error().message, 500, {}};
  }
  registered_.set(std::move(changed));
  return Done{};
}

}  // namespace securebase::notify
