// Subscription filters at work: events that match go to a function, as CloudWatch Logs sends them: JSON, gzipped, in
// base64, in {"awslogs":{"data":...}}.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "logs/patterns/pattern.h"
#include "logs/store/event.h"
#include "logs/store/settings.h"
#include "telemetry/metrics.h"

namespace securebase::logs {

// Calls a function with an event. kUnavailable: try again later.
using InvokeFunction = std::function<Result<Done>(const std::string& function_arn, const std::string& event)>;

// 56 digits, as CloudWatch's are: by time, then by sequence.
std::string event_id(const Position& at);

// The event that a function gets.
std::string subscription_event(std::string_view account, std::string_view group, std::string_view stream,
                               const std::vector<std::string>& filters, base::Json::Array events);

class SubscriptionFilters {
 public:
  explicit SubscriptionFilters(const GroupSettings& settings);
  bool empty() const { return filters_.empty(); }
  struct Matched {
    const SubscriptionFilter* filter;
    base::Json::Array events;
  };
  std::vector<Matched> match(std::span<const Event> events, std::uint64_t first_sequence) const;

 private:
  struct Compiled {
    SubscriptionFilter filter;
    Pattern pattern;
  };
  std::vector<Compiled> filters_;
};

// What waits for functions. Bounded: what does not fit is dropped and counted.
class SubscriptionQueue {
 public:
  static constexpr std::size_t kWaitingBytes = 32 << 20;
  static constexpr int kAttempts = 6;

  SubscriptionQueue() = default;
  ~SubscriptionQueue() { stop(); }
  SubscriptionQueue(const SubscriptionQueue&) = delete;
  SubscriptionQueue& operator=(const SubscriptionQueue&) = delete;

  // The counters outlive it.
  void start(InvokeFunction invoke, telemetry::Counter& delivered, telemetry::Counter& dropped);
  void stop();
  // Any thread.
  void push(std::string function_arn, std::string event);

 private:
  struct Waiting {
    std::string function_arn;
    std::string event;
    int attempts = 0;
  };
  void work();
  // Set by start(), before its thread.
  InvokeFunction invoke_;
  telemetry::Counter* delivered_ = nullptr;
  telemetry::Counter* dropped_ = nullptr;
  std::mutex mutex_;
  std::condition_variable news_;
  // Guarded by mutex_.
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace securebase::logs
