#include <fmt/format.h>

#include <algorithm>

#include "notify/engine.h"

namespace securebase::notify {

namespace {

const Metric& reason_metric(FilterPolicy::Verdict verdict, FilterScope scope) {
  if (verdict == FilterPolicy::Verdict::kInvalidBody) return kFilteredInvalidBody;
  if (verdict == FilterPolicy::Verdict::kNoAttributes) return kFilteredNoAttributes;
  return scope == FilterScope::kMessageBody ? kFilteredByBody : kFilteredByAttributes;
}

std::string topic_name(std::string_view arn) { return std::string(arn.substr(arn.rfind(':') + 1)); }

constexpr std::size_t kWebhookConcurrency = 8;
constexpr std::size_t kFunctionConcurrency = 16;

}  // namespace

void Notify::Engine::count(const Metric& metric, std::string_view topic_arn, std::uint64_t times) const {
  if (doors.registry) doors.registry->counter(metric, {{"TopicName", topic_name(topic_arn)}}).add(times);
}

void Notify::Engine::record(const Metric& metric, std::string_view topic_arn, double value) const {
  if (doors.registry) doors.registry->distribution(metric, {{"TopicName", topic_name(topic_arn)}}).record(value);
}

void Notify::Engine::show_queue() const {
  if (!doors.registry) return;
  const auto totals = queue->totals();
  doors.registry->gauge(kQueueLength).set(static_cast<double>(totals.waiting));
  doors.registry->gauge(kDeadLetters).set(static_cast<double>(totals.dead));
}

Answered<std::string> Notify::Engine::publish(Publication publication) {
  const auto registered = registry->get();
  auto there = topic(publication.topic_arn);
  if (!there) return there.error();
  const auto size = publication.message.size();
  auto composed = compose(std::move(publication), doors.clock.now());
  if (!composed) return composed.error();
  const auto message = std::make_shared<const Message>(std::move(*composed));
  std::vector<std::string> receivers;
  for (const auto& one : registered->of_topic(message->topic_arn)) {
    if (!one->confirmed || one->removed) continue;
    if (one->filter) {
      const auto verdict = one->filter->judge(*message, message->text_for(to_string(one->protocol)));
      if (verdict != FilterPolicy::Verdict::kMatches) {
        count(kFilteredOut, message->topic_arn);
        count(reason_metric(verdict, one->scope), message->topic_arn);
        continue;
      }
    }
    receivers.push_back(one->arn);
  }
  if (auto added = queue->add(message, receivers); !added) {
    if (added.error().code == Errc::kLimit) {
      return aws::Fault{"Throttled", "Rate exceeded: " + added.error().message, 429, {}};
    }
    return aws::Fault{"InternalError", "The message cannot be kept: " + added.error().message, 500, {}};
  }
  count(kPublished, message->topic_arn);
  record(kPublishSize, message->topic_arn, static_cast<double>(size));
  return message->id;
}

std::optional<Queue::LaneRule> Notify::Engine::rule_of(const std::string& subscription_arn) const {
  const auto registered = registry->get();
  const auto one = registered->subscription(subscription_arn);
  const auto topic = one ? registered->topic(one->topic_arn) : nullptr;
  if (!topic) return std::nullopt;
  Queue::LaneRule rule;
  switch (one->protocol) {
    case Protocol::kEmail:
    case Protocol::kEmailJson:
      rule.ordered = true;
      rule.held = !settings.relay;
      break;
    case Protocol::kLambda:
      rule.concurrency = kFunctionConcurrency;
      break;
    case Protocol::kHttp:
    case Protocol::kHttps:
      // An OK that overtakes its ALARM would leave an incident open.
      rule.ordered = one->form(*topic) != Format::kSns;
      rule.concurrency = kWebhookConcurrency;
      if (const auto rate = effective(topic->delivery, one->delivery).receives_per_second) {
        rule.interval = std::chrono::milliseconds(static_cast<std::int64_t>(1000 / *rate));
      }
      break;
  }
  return rule;
}

Status Notify::Engine::status() const {
  Status status;
  const auto registered = registry->get();
  const auto lanes = queue->lanes();
  const auto totals = queue->totals();
  for (const auto& [arn, one] : registered->topics) {
    const auto& all = registered->of_topic(arn);
    const auto there = std::count_if(all.begin(), all.end(), [](const auto& each) { return !each->removed; });
    status.topics.push_back({arn, one->display_name(), one->declared, static_cast<std::size_t>(there)});
  }
  status.waiting = totals.waiting;
  status.dead_letters = totals.dead;
  status.dropped_dead_letters = totals.dropped;
  std::size_t mails = 0, mail_subscriptions = 0, unconfirmed = 0;
  for (const auto& [arn, one] : registered->subscriptions) {
    const auto topic = registered->topic(one->topic_arn);
    if (one->removed || !topic) continue;
    SubscriptionStatus shown;
    const auto form = one->form(*topic);
    shown.arn = arn;
    shown.topic_arn = one->topic_arn;
    shown.protocol = to_string(one->protocol);
    shown.endpoint = without_secrets(one->protocol, form, one->endpoint);
    shown.format = to_string(form);
    shown.confirmed = one->confirmed;
    shown.declared = one->declared;
    if (const auto lane = lanes.find(arn); lane != lanes.end()) {
      shown.waiting = lane->second.waiting;
      shown.dead_letters = lane->second.dead;
      shown.trouble = lane->second.trouble;
    }
    const bool mail = one->protocol == Protocol::kEmail || one->protocol == Protocol::kEmailJson;
    if (mail && !settings.relay) {
      ++mail_subscriptions;
      mails += shown.waiting;
      shown.trouble = "no SMTP relay is set: mail waits in the queue";
    } else if (!one->confirmed) {
      ++unconfirmed;
      if (shown.trouble.empty()) shown.trouble = "waits for its receiver to confirm";
    }
    status.subscriptions.push_back(std::move(shown));
  }
  if (mail_subscriptions > 0) {
    status.troubles.push_back(
        fmt::format("no SMTP relay is set: {} mails wait for {} addresses; set SECUREBASE_SMTP_HOST "
                    "and SECUREBASE_SMTP_FROM",
                    mails, mail_subscriptions));
  }
  if (unconfirmed > 0) {
    status.troubles.push_back(fmt::format("{} subscriptions wait to be confirmed", unconfirmed));
  }
  if (totals.dead > 0) {
    status.troubles.push_back(fmt::format("{} deliveries were given up, and are in the dead-letter list", totals.dead));
  }
  return status;
}

std::vector<DeadLetter> Notify::Engine::dead_letters() const {
  const auto registered = registry->get();
  auto letters = queue->dead_letters();
  for (auto& letter : letters) {
    if (const auto one = registered->subscription(letter.subscription_arn)) letter.redrive_target = one->redrive_target;
  }
  return letters;
}

}  // namespace securebase::notify
