#include "logs/taps/subscriptions.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include "base/encoding.h"
#include "base/log.h"

namespace securebase::logs {

namespace {

constexpr std::chrono::milliseconds kFirstWait{200};  // doubled at each attempt

std::string gzipped(std::string_view bytes) {
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(6), &libdeflate_free_compressor);
  check(compressor != nullptr, "libdeflate has memory");
  std::string out(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  out.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
  return out;
}

}  // namespace

std::string event_id(const Position& at) { return fmt::format("{:020}{:036}", at.time_ms, at.sequence); }

std::string subscription_event(std::string_view account, std::string_view group, std::string_view stream,
                               const std::vector<std::string>& filters, base::Json::Array events) {
  base::Json::Array names(filters.begin(), filters.end());
  const auto data = base::Json::object({{"messageType", "DATA_MESSAGE"},
                                        {"owner", account},
                                        {"logGroup", group},
                                        {"logStream", stream},
                                        {"subscriptionFilters", base::Json(std::move(names))},
                                        {"logEvents", base::Json(std::move(events))}});
  return base::Json::object({{"awslogs", base::Json::object({{"data", base::base64(gzipped(data.dump()))}})}}).dump();
}

SubscriptionFilters::SubscriptionFilters(const GroupSettings& settings) {
  for (const auto& [name, filter] : settings.subscription_filters) {
    auto pattern = Pattern::compile(filter.pattern);
    if (!pattern) {  // it was checked when it was put
      base::log(base::Level::kWarning, "logs", "subscription filter {} of {}: {}", name, settings.name,
                pattern.error().message);
      continue;
    }
    filters_.push_back({filter, std::move(*pattern)});
  }
}

std::vector<SubscriptionFilters::Matched> SubscriptionFilters::match(std::span<const Event> events,
                                                                     std::uint64_t first_sequence) const {
  std::vector<Matched> all;
  for (const auto& one : filters_) {
    Matched matched{&one.filter, {}};
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!one.pattern.matches(events[i].message)) continue;
      matched.events.push_back(base::Json::object({{"id", event_id({events[i].time_ms, first_sequence + i})},
                                                   {"timestamp", events[i].time_ms},
                                                   {"message", events[i].message}}));
    }
    if (!matched.events.empty()) all.push_back(std::move(matched));
  }
  return all;
}

void SubscriptionQueue::start(InvokeFunction invoke, telemetry::Counter& delivered, telemetry::Counter& dropped) {
  invoke_ = std::move(invoke);
  delivered_ = &delivered;
  dropped_ = &dropped;
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
    if (stopping_ || !dropped_) return;
    if (waiting_bytes_ + event.size() > kWaitingBytes) {
      dropped_->add();
      return;
    }
    waiting_bytes_ += event.size();
    waiting_.push_back({std::move(function_arn), std::move(event)});
  }
  news_.notify_one();
}

void SubscriptionQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto one = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= one.event.size();
    lock.unlock();
    auto wait = kFirstWait;
    Result<Done> done = Done{};
    for (;;) {
      done = invoke_(one.function_arn, one.event);
      if (done || done.error().code != Errc::kUnavailable || ++one.attempts >= kAttempts) break;
      lock.lock();
      const bool stopping = news_.wait_for(lock, wait, [this] { return stopping_; });
      lock.unlock();
      if (stopping) break;
      wait *= 2;
    }
    if (done) {
      delivered_->add();
    } else {
      dropped_->add();
      base::log(base::Level::kWarning, "logs", "log events do not reach {}: {}", one.function_arn,
                done.error().message);
    }
    lock.lock();
  }
}

}  // namespace securebase::logs
