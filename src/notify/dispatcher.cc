#include "notify/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/random.h"
#include "net/worker.h"
#include "notify/engine.h"

namespace securebase::notify {

namespace {

using net::Task;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kLongestSleep{60};  // then the wall clock is looked at again, should it have been set

Task<Result<Done>> hear(net::Event& event, std::uint64_t ticket) { co_return co_await event.after(ticket); }

const RetryPolicy& schedule_of(const DeliveryPolicy& policy, Protocol protocol) {
  if (policy.retry && (protocol == Protocol::kHttp || protocol == Protocol::kHttps)) return *policy.retry;
  return protocol == Protocol::kLambda ? for_functions() : for_customer_managed();
}

}  // namespace

struct Dispatcher::Running {
  Running(Notify::Engine& engine, std::shared_ptr<const net::TlsClient> tls)
      : sender(engine.settings, engine.doors, engine.links, *engine.signer, std::move(tls)) {}
  Sender sender;
  net::TaskGroup tasks;
  std::size_t in_flight = 0;
};

Dispatcher::Dispatcher(Notify::Engine& engine, std::shared_ptr<const net::TlsClient> tls)
    : engine_(engine), tls_(std::move(tls)) {
  engine_.queue->on_news([this] { news_.notify_all(); });
}

Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::start() {
  if (std::exchange(started_, true)) return;
  engine_.doors.worker.post([this] {
    running_ = std::make_unique<Running>(engine_, tls_);
    running_->tasks.spawn(run());
  });
}

void Dispatcher::stop() {
  if (!std::exchange(started_, false)) return;
  std::promise<void> closed;
  engine_.doors.worker.post([this, &closed] {
    engine_.doors.worker.tasks().spawn([](Dispatcher& self, std::promise<void>& done) -> Task<void> {
      co_await self.close();
      done.set_value();
    }(*this, closed));
  });
  closed.get_future().wait();
}

Task<void> Dispatcher::close() {
  co_await running_->tasks.close();
  running_.reset();
}

Task<void> Dispatcher::run() {
  for (;;) {
    const auto ticket = news_.ticket();
    auto& running = *running_;
    if (running.tasks.cancellation().requested()) co_return;
    const auto room =
        engine_.settings.limits.in_flight - std::min(running.in_flight, engine_.settings.limits.in_flight);
    for (auto& delivery : engine_.queue->take(room)) {
      ++running.in_flight;
      running.tasks.spawn(deliver(std::move(delivery)));
    }
    engine_.show_queue();
    milliseconds sleep = kLongestSleep;
    const auto due = engine_.queue->next_due();
    if (due && running.in_flight < engine_.settings.limits.in_flight) {
      const auto until = std::chrono::ceil<milliseconds>(*due - engine_.doors.clock.now());
      sleep = std::clamp(until, milliseconds(0), sleep);
    }
    if (sleep.count() == 0) continue;
    auto heard = co_await net::with_timeout(sleep, hear(news_, ticket));
    if (!heard && heard.error().code == Errc::kCancelled) co_return;
  }
}

Task<void> Dispatcher::deliver(Queue::Delivery delivery) {
  const auto registered = engine_.registry->get();
  const auto subscription = registered->subscription(delivery.subscription);
  const auto topic = subscription ? registered->topic(subscription->topic_arn) : nullptr;
  if (!topic) {  // deleted meanwhile: nobody to tell
    --running_->in_flight;
    engine_.queue->delivered(delivery.id);
    co_return;
  }
  const auto begun = engine_.doors.clock.now();
  auto attempt = co_await running_->sender.attempt(delivery, topic, subscription);
  --running_->in_flight;
  if (running_->tasks.cancellation().requested() && attempt.kind == Attempt::Kind::kRetry) {
    engine_.queue->put_back(delivery.id);
    co_return;
  }
  finish(delivery, *topic, *subscription, std::move(attempt), begun);
}

void Dispatcher::finish(const Queue::Delivery& delivery, const Topic& topic, const Subscription& subscription,
                        Attempt attempt, base::TimePoint begun) {
  const auto now = engine_.doors.clock.now();
  const auto policy = effective(topic.delivery, subscription.delivery);
  const RetryPolicy& schedule = attempt.schedule ? *attempt.schedule : schedule_of(policy, subscription.protocol);
  const auto pause = schedule.pause_before(delivery.attempts + 1);
  const std::string trouble =
      attempt.status > 0 ? fmt::format("{}: {}", attempt.status, attempt.answer) : attempt.answer;
  const auto dwell = std::chrono::duration_cast<milliseconds>(now - delivery.message->published);
  if (attempt.kind == Attempt::Kind::kDelivered) {
    engine_.queue->delivered(delivery.id);
    engine_.count(kDelivered, topic.arn);
    engine_.record(kDwellTime, topic.arn, static_cast<double>(dwell.count()));
  } else if (attempt.kind == Attempt::Kind::kRetry && pause) {
    engine_.queue->retry(delivery.id, now + std::max(*pause, attempt.not_before.value_or(milliseconds(0))), trouble);
  } else {
    const auto reason = attempt.kind == Attempt::Kind::kRefused
                            ? "refused: " + trouble
                            : fmt::format("given up after {} attempts: {}", delivery.attempts + 1, trouble);
    base::log(base::Level::kWarning, "notify", "message {} to {}: {}", delivery.message->id, subscription.arn, reason);
    engine_.queue->dead(delivery.id, reason);
    engine_.count(kFailed, topic.arn);
    engine_.count(kRedriven, topic.arn);
  }
  const auto status = attempt.kind == Attempt::Kind::kDelivered ? "SUCCESS" : "FAILURE";
  engine_.log->write(base::Json::object(
      {{"notification", base::Json::object({{"messageMD5Sum", base::hex(base::md5(delivery.message->text))},
                                            {"messageId", delivery.message->id},
                                            {"type", type_name(delivery.message->kind)},
                                            {"topicArn", topic.arn},
                                            {"timestamp", base::iso8601_millis(delivery.message->published)}})},
       {"delivery",
        base::Json::object(
            {{"deliveryId", std::to_string(delivery.id)},
             {"subscriptionArn", subscription.arn},
             {"destination", without_secrets(subscription.protocol, subscription.form(topic), subscription.endpoint)},
             {"providerResponse", attempt.answer},
             {"dwellTimeMs", std::int64_t{dwell.count()}},
             {"attemptMs", std::int64_t{std::chrono::duration_cast<milliseconds>(now - begun).count()}},
             {"attempts", delivery.attempts + 1},
             {"statusCode", attempt.status}})},
       {"status", status},
       {"at", base::iso8601_millis(now)}}));
}

}  // namespace securebase::notify
