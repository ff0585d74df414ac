#include "logs/taps/subscription_queue.h"

#include "base/log.h"

namespace securebase::logs {

namespace {

constexpr std::chrono::milliseconds kFirstWait{200};  // doubled at each attempt
constexpr std::chrono::seconds kSync{1};              // a power cut loses at most so much

void warn_of_disk(const Error& error) {
  base::log(base::Level::kWarning, "logs", "what waits for subscribed functions is not on disk: {}", error.message);
}

}  // namespace

Result<std::unique_ptr<SubscriptionQueue>> SubscriptionQueue::open(const std::filesystem::path& path) {
  std::unique_ptr<SubscriptionQueue> queue(new SubscriptionQueue);
  auto kept = Deliveries::open(path, queue->waiting_, [](const std::string& repaired) {
    base::log(base::Level::kWarning, "logs", "repaired: {}", repaired);
  });
  if (!kept) return kept.error();
  queue->kept_ = std::move(*kept);
  for (const auto& one : queue->waiting_) queue->waiting_bytes_ += one.event.size();
  return queue;
}

void SubscriptionQueue::start(InvokeFunction invoke, telemetry::Counter& delivered, telemetry::Counter& dropped) {
  invoke_ = std::move(invoke);
  delivered_ = &delivered;
  {
    const std::lock_guard lock(mutex_);
    dropped_ = &dropped;
  }
  thread_ = std::thread([this] { work(); });
}

void SubscriptionQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SubscriptionQueue::push(std::string function_arn, std::string event) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_bytes_ + event.size() > kWaitingBytes) {
      if (dropped_) dropped_->add();
      return;
    }
    Delivery delivery{0, std::move(function_arn), std::move(event)};
    if (auto added = kept_->add(delivery); !added) warn_of_disk(added.error());
    waiting_bytes_ += delivery.event.size();
    waiting_.push_back(std::move(delivery));
  }
  news_.notify_one();
}

bool SubscriptionQueue::deliver(Delivery& delivery) {
  auto wait = kFirstWait;
  for (;;) {
    const auto called = invoke_(delivery.function_arn, delivery.event);
    if (called) {
      delivered_->add();
      return true;
    }
    if (called.error().code != Errc::kUnavailable || ++delivery.attempts >= kAttempts) {
      dropped_->add();
      base::log(base::Level::kWarning, "logs", "log events do not reach {}: {}", delivery.function_arn,
                called.error().message);
      return true;
    }
    std::unique_lock lock(mutex_);
    if (news_.wait_for(lock, wait, [this] { return stopping_; })) return false;
    wait *= 2;
  }
}

void SubscriptionQueue::work() {
  auto synced_at = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait_for(lock, kSync, [this] { return stopping_ || !waiting_.empty(); });
    const auto now = std::chrono::steady_clock::now();
    if (kept_->dirty() && (stopping_ || now - synced_at >= kSync)) {
      synced_at = now;
      if (auto synced = kept_->sync(); !synced) warn_of_disk(synced.error());
    }
    if (stopping_) return;
    if (waiting_.empty()) continue;
    auto one = waiting_.front();
    lock.unlock();
    const bool done = deliver(one);
    lock.lock();
    if (!done) continue;
    waiting_bytes_ -= one.event.size();
    waiting_.pop_front();
    if (auto kept = kept_->done(one.number, waiting_, waiting_bytes_); !kept) warn_of_disk(kept.error());
  }
}

}  // namespace securebase::logs
