// The inside of Notify. Files: topics.cc and subscriptions.cc change what is registered, publish.cc fills the queue,
// dispatcher.cc empties it, answer.cc serves the unsigned addresses, notify.cc puts it together.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "notify/config.h"
#include "notify/delivery_log.h"
#include "notify/dispatcher.h"
#include "notify/envelope.h"
#include "notify/metrics.h"
#include "notify/notify.h"
#include "notify/queue.h"
#include "notify/registry.h"
#include "notify/signer.h"

namespace securebase::notify {

template <class T>
using Answered = Result<T, aws::Fault>;

struct NewSubscription {
  std::string topic_arn;
  std::string protocol;
  std::string endpoint;
  Names attributes;
};

enum class Caller { kAuthenticated, kAnybody };

struct Notify::Engine {
  Engine(Settings settings, Doors doors)
      : settings(std::move(settings)), doors(doors), links(this->settings.public_url) {}

  Result<Done> open();

  // topics.cc
  Answered<std::string> create_topic(std::string_view name, Names attributes, Names tags);
  Answered<Done> delete_topic(std::string_view arn);
  Answered<TopicPointer> topic(std::string_view arn) const;  // NotFound
  Answered<Done> set_topic_attribute(std::string_view arn, std::string_view name, std::string_view value);
  // nullopt: takes the tag away.
  Answered<Done> tag_topic(std::string_view arn, const std::map<std::string, std::optional<std::string>>& tags);
  Result<Done> apply(std::shared_ptr<const Config> config);
  std::vector<stack::Drifted> drift() const;

  // subscriptions.cc
  Answered<SubscriptionPointer> subscribe(NewSubscription wanted);
  Answered<SubscriptionPointer> confirm(std::string_view topic_arn, std::string_view token,
                                        bool authenticated_unsubscribe);
  Answered<Done> confirm_by_operator(std::string_view arn);
  Answered<Done> unsubscribe(std::string_view arn, Caller caller);
  Answered<SubscriptionPointer> subscription(std::string_view arn) const;  // NotFound
  Answered<Done> set_subscription_attribute(std::string_view arn, std::string_view name, std::string_view value);
  // Gives it a token; ask_to_confirm() is for after the change is kept.
  void await_confirmation(Subscription& subscription) const;
  void ask_to_confirm(const Subscription& subscription, Message::Kind kind);
  // Drops those that wait for a confirmation that will not come any more.
  void sweep(Registered& registered) const;
  // Drops deliveries to those that are registered no more.
  void forget_unknown();

  // publish.cc
  Answered<std::string> publish(Publication publication);
  std::optional<Queue::LaneRule> rule_of(const std::string& subscription_arn) const;
  Status status() const;
  std::vector<DeadLetter> dead_letters() const;

  // answer.cc
  bool recognises(const http::Request& request) const;
  net::Task<http::Response> answer(http::Request& request);

  void count(const Metric& metric, std::string_view topic_arn, std::uint64_t times = 1) const;
  void record(const Metric& metric, std::string_view topic_arn, double value) const;
  void show_queue() const;

  // Constant after open().
  const Settings settings;
  const Doors doors;
  const Links links;
  std::unique_ptr<Signer> signer;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Queue> queue;
  std::unique_ptr<DeliveryLog> log;
  std::unique_ptr<Dispatcher> dispatcher;
  // Of the last apply. Any thread.
  base::Snapshot<Config> applied{std::make_shared<const Config>()};
};

aws::Fault not_found(std::string_view message);

}  // namespace securebase::notify
