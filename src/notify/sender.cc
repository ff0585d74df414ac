#include "notify/sender.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"
#include "net/worker.h"
#include "notify/mail.h"
#include "notify/pagerduty.h"
#include "notify/slack.h"
#include "notify/smtp.h"

namespace securebase::notify {

namespace {

using net::Task;
using std::chrono::milliseconds;

constexpr std::size_t kAnswerBytes = 64 << 10;  // of a receiver's answer; more is not read
constexpr std::size_t kShownBytes = 1000;       // of it, in the log
constexpr std::chrono::seconds kMostPause{3600};
constexpr std::string_view kContentType = "text/plain; charset=UTF-8";
constexpr std::string_view kAgent = "Amazon Simple Notification Service Agent";  // SNS's own: receivers look for it

http::ClientLimits limits_of(const Settings& settings) {
  http::ClientLimits limits;
  limits.idle_connections = 4;
  limits.connect_time = settings.limits.attempt_time;
  limits.read_time = settings.limits.attempt_time;
  return limits;
}

http::ClientRequest post_to(const Url& url, std::string_view content_type, std::string body) {
  http::ClientRequest request;
  request.origin.host = url.host;
  request.origin.port = url.port;
  request.tls = url.tls;
  request.method = http::Method::kPost;
  request.target = url.target;
  request.headers.add("Host", url.authority());
  request.headers.add("Content-Type", content_type);
  if (!url.user_info.empty()) request.headers.add("Authorization", "Basic " + base::base64(url.user_info));
  request.body = std::move(body);
  return request;
}

Attempt refused(std::string why) {
  Attempt attempt;
  attempt.kind = Attempt::Kind::kRefused;
  attempt.answer = std::move(why);
  return attempt;
}

Attempt retry(std::string why) {
  Attempt attempt;
  attempt.answer = std::move(why);
  return attempt;
}

// Seconds; dates (RFC 9110 §10.2.3) are read as a minute, as receivers of webhooks do not send them.
std::optional<milliseconds> retry_after(const http::Headers& headers) {
  const auto text = headers.get("Retry-After");
  if (!text) return std::nullopt;
  std::int64_t count = 60;
  std::from_chars(text->data(), text->data() + text->size(), count);
  return milliseconds(std::chrono::seconds(std::clamp<std::int64_t>(count, 0, kMostPause.count())));
}

Envelope envelope_of(const Queue::Delivery& delivery, const Topic& topic, const Subscription& subscription) {
  return {*delivery.message, delivery.message->text_for(to_string(subscription.protocol)), subscription.arn,
          topic.signature_version};
}

Task<Result<http::ClientResponse>> exchange(http::Client& client, http::ClientRequest request) {
  co_return co_await client.send(std::move(request));
}

// Status and the beginning of the body, so that the connection can be kept.
Task<Result<Attempt>> ask(http::Client& client, http::ClientRequest request) {
  auto response = co_await exchange(client, std::move(request));
  if (!response) co_return response.error();
  Attempt attempt;
  attempt.status = response->status;
  attempt.kind = meaning_of(response->status);
  attempt.not_before = retry_after(response->headers);
  if (response->body) {
    auto body = co_await http::read_all(*response->body, kAnswerBytes);
    if (body) attempt.answer = cut(*body, kShownBytes);
  }
  co_return attempt;
}

}  // namespace

Attempt::Kind meaning_of(int status) {
  if (status >= 200 && status < 300) return Attempt::Kind::kDelivered;
  if (status == 429 || status == 408 || status < 200 || status >= 500) return Attempt::Kind::kRetry;
  return Attempt::Kind::kRefused;
}

Sender::Sender(const Settings& settings, const Doors& doors, const Links& links, Signer& signer,
               std::shared_ptr<const net::TlsClient> tls)
    : settings_(settings),
      doors_(doors),
      links_(links),
      signer_(signer),
      tls_(std::move(tls)),
      client_(limits_of(settings), tls_) {}

Task<Attempt> Sender::attempt(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  switch (subscription->protocol) {
    case Protocol::kEmail:
    case Protocol::kEmailJson:
      co_return co_await to_mail(std::move(delivery), std::move(topic), std::move(subscription));
    case Protocol::kLambda:
      co_return co_await to_function(std::move(delivery), std::move(topic), std::move(subscription));
    case Protocol::kHttp:
    case Protocol::kHttps:
      break;
  }
  const auto form = subscription->form(*topic);
  if (form == Format::kSlack)
    co_return co_await to_slack(std::move(delivery), std::move(topic), std::move(subscription));
  if (form == Format::kPagerDuty) {
    co_return co_await to_pagerduty(std::move(delivery), std::move(topic), std::move(subscription));
  }
  co_return co_await to_webhook(std::move(delivery), std::move(topic), std::move(subscription));
}

Task<Attempt> Sender::post(http::ClientRequest request) {
  auto attempt = co_await net::with_timeout(settings_.limits.attempt_time, ask(client_, std::move(request)));
  if (!attempt) co_return retry(attempt.error().message);
  co_return std::move(*attempt);
}

Task<Attempt> Sender::to_webhook(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  const auto url = http::parse_url(subscription->endpoint);
  if (!url) co_return refused(url.error().message);
  const auto& message = *delivery.message;
  const auto policy = effective(topic->delivery, subscription->delivery);
  const bool raw = subscription->raw && message.kind == Message::Kind::kNotification;
  std::string body;
  if (raw) {
    body = message.text_for(to_string(subscription->protocol));
  } else {
    auto signed_body = co_await doors_.pool.run(
        [&] { return http_body(envelope_of(delivery, *topic, *subscription), links_, signer_); });
    if (!signed_body) co_return retry(signed_body.error().message);
    body = std::move(*signed_body);
  }
  auto request = post_to(*url, policy.content_type.empty() ? kContentType : policy.content_type, std::move(body));
  request.headers.add("User-Agent", kAgent);
  request.headers.add("x-amz-sns-message-type", type_name(message.kind));
  request.headers.add("x-amz-sns-message-id", message.id);
  request.headers.add("x-amz-sns-topic-arn", message.topic_arn);
  if (message.kind == Message::Kind::kNotification) {
    request.headers.add("x-amz-sns-subscription-arn", subscription->arn);
  }
  if (raw) request.headers.add("x-amz-sns-rawdelivery", "true");
  co_return co_await post(std::move(request));
}

Task<Attempt> Sender::to_slack(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  const auto url = http::parse_url(subscription->endpoint);
  if (!url) co_return refused(url.error().message);
  const auto& text = delivery.message->text_for(to_string(subscription->protocol));
  auto request = post_to(*url, "application/json; charset=utf-8",
                         slack_body(*delivery.message, text, topic->display_name(), settings_.console_url));
  co_return co_await post(std::move(request));
}

Task<Attempt> Sender::to_pagerduty(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  const auto url = http::parse_url(subscription->endpoint);
  if (!url) co_return refused(url.error().message);
  const auto target = pagerduty_target(*url);
  if (!target) co_return refused(target.error().message);
  const auto& text = delivery.message->text_for(to_string(subscription->protocol));
  auto request = post_to(
      target->url, "application/json",
      pagerduty_body(*delivery.message, text, topic->display_name(), target->routing_key, settings_.console_url));
  co_return co_await post(std::move(request));
}

Task<Attempt> Sender::to_mail(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  if (!settings_.relay) co_return retry("no SMTP relay is set");
  const auto& relay = *settings_.relay;
  const auto& message = *delivery.message;
  const auto& text = message.text_for(to_string(subscription->protocol));
  const bool notification = message.kind == Message::Kind::kNotification;
  Mail mail;
  mail.from = relay.from;
  mail.from_name = topic->display_name();
  mail.to = subscription->endpoint;
  mail.id = fmt::format("{}.{}", message.id,
                        base::hex(subscription->arn.substr(subscription->arn.rfind(':') + 1)).substr(0, 12));
  mail.topic_arn = message.topic_arn;
  mail.date = message.published;
  mail.subject = mail_subject(message, text, topic->display_name());
  if (notification) {
    mail.unsubscribe_url = links_.unsubscribe(subscription->arn);
    mail.thread = mail_thread(text);
  }
  if (subscription->protocol == Protocol::kEmailJson) {
    auto body = co_await doors_.pool.run(
        [&] { return http_body(envelope_of(delivery, *topic, *subscription), links_, signer_); });
    if (!body) co_return retry(body.error().message);
    mail.text = std::move(*body);
  } else if (notification) {
    mail.text = mail_text(message, text, mail.unsubscribe_url, settings_.console_url);
  } else {
    mail.text = confirmation_text(message, links_.confirm(message.topic_arn, message.token));
  }
  std::string password;
  if (relay.password) {
    auto secret = co_await doors_.pool.run([&relay] { return relay.password(); });
    if (!secret) co_return retry(secret.error().message);
    if (!*secret) co_return retry("the relay's password cannot be had: " + secret->error().message);
    password = std::move(**secret);
  }
  Submission submission;
  submission.from = relay.from;
  submission.to = subscription->endpoint;
  submission.message = render(mail);
  auto outcome =
      co_await submit(relay, std::move(password), std::move(submission), tls_, 2 * settings_.limits.attempt_time);
  Attempt attempt;
  attempt.kind = outcome.kind == Submitted::Kind::kAccepted  ? Attempt::Kind::kDelivered
                 : outcome.kind == Submitted::Kind::kRefused ? Attempt::Kind::kRefused
                                                             : Attempt::Kind::kRetry;
  attempt.status = outcome.code;
  attempt.answer = cut(outcome.answer, kShownBytes);
  co_return attempt;
}

Task<Attempt> Sender::to_function(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription) {
  using Kind = functions::InvokeOutcome::Kind;
  if (!doors_.functions) co_return refused("this platform runs no functions");
  auto event = co_await doors_.pool.run(
      [&] { return function_event(envelope_of(delivery, *topic, *subscription), links_, signer_); });
  if (!event) co_return retry(event.error().message);
  functions::InvokeOptions options;
  auto outcome = co_await doors_.functions->invoke(subscription->endpoint, std::move(*event), std::move(options));
  Attempt attempt;
  attempt.answer = cut(outcome.payload, kShownBytes);
  switch (outcome.kind) {
    case Kind::kOk:
      attempt.kind = Attempt::Kind::kDelivered;
      attempt.status = 202;  // what an asynchronous invocation answers
      break;
    case Kind::kFunctionError:
      // Lambda's own retries of asynchronous events: two, after one and two minutes.
      attempt.status = 202;
      attempt.answer = fmt::format("the function failed: {}", attempt.answer);
      attempt.schedule =
          RetryPolicy{std::chrono::seconds(60), std::chrono::seconds(120), 2, 0, 0, 0, RetryPolicy::Backoff::kLinear};
      break;
    case Kind::kThrottled:
      attempt.status = 429;
      break;
    case Kind::kNotFound:
    case Kind::kTooLarge:
      attempt.kind = Attempt::Kind::kRefused;
      attempt.status = outcome.kind == Kind::kNotFound ? 404 : 413;
      break;
    case Kind::kDeadline:
    case Kind::kUnavailable:
      break;
  }
  co_return attempt;
}

}  // namespace securebase::notify
