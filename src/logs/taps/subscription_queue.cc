#include "logs/taps/subscription_queue.h"

#include <algorithm>

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
  for (const auto& one : queue->waiting_) {
    queue->waiting_bytes_ += one.event.size();
    queue->bytes_of_[one.function_arn] += one.event.size();
  }
  return queue;
}

void SubscriptionQueue::start(InvokeFunction invoke, telemetry::Counter& delivered, telemetry::Counter& dropped) {
  invoke_ = std::move(invoke);
  delivered_ = &delivered;
  {
    const std::lock_guard lock(mutex_);
    dropped_ = &dropped;
  }
  for (std::size_t i = 0; i < kFunctionsAtOnce; ++i) threads_.emplace_back([this] { work(); });
}

void SubscriptionQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void SubscriptionQueue::push(std::string function_arn, std::string event) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = bytes_of_.find(function_arn);
    const auto of_function = (known == bytes_of_.end() ? 0 : known->second) + event.size();
    const auto all = waiting_bytes_ + event.size();
    if (all > kWaitingBytes || of_function > kShareOfFree * (kWaitingBytes - all)) {
      if (dropped_) dropped_->add();
      return;
    }
    Delivery delivery{0, std::move(function_arn), std::move(event)};
    if (auto added = kept_->add(delivery); !added) warn_of_disk(added.error());
    waiting_bytes_ = all;
    bytes_of_[delivery.function_arn] = of_function;
    waiting_.push_back(std::move(delivery));
  }
  news_.notify_all();  // one alone might be in a wait for its function
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

std::deque<Delivery>::const_iterator SubscriptionQueue::next_free() const {
  return std::find_if(waiting_.begin(), waiting_.end(),
                      [this](const Delivery& one) { return !called_.contains(one.function_arn); });
}

void SubscriptionQueue::finish(const Delivery& delivery) {
  waiting_bytes_ -= delivery.event.size();
  const auto bytes = bytes_of_.find(delivery.function_arn);
  if ((bytes->second -= delivery.event.size()) == 0) bytes_of_.erase(bytes);
  waiting_.erase(std::find_if(waiting_.begin(), waiting_.end(),
                              [&](const Delivery& one) { return one.number == delivery.number; }));
  if (auto kept = kept_->done(delivery.number, waiting_, waiting_bytes_); !kept) warn_of_disk(kept.error());
}

void SubscriptionQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait_for(lock, kSync, [this] { return stopping_ || next_free() != waiting_.end(); });
    const auto now = std::chrono::steady_clock::now();
    if (kept_->dirty() && (stopping_ || now - synced_at_ >= kSync)) {
      synced_at_ = now;
      if (auto synced = kept_->sync(); !synced) warn_of_disk(synced.error());
    }
    if (stopping_) return;
    const auto next = next_free();
    if (next == waiting_.end()) continue;
    auto one = *next;
    called_.insert(one.function_arn);
    lock.unlock();
    const bool done = deliver(one);
    lock.lock();
    called_.erase(one.function_arn);
    if (done) finish(one);
  }
}

}  // namespace securebase::logs
