// Calls functions with what subscription filters matched, each with one event after the other, again where it has no
// time. A few functions at once: one that is slow delays only its own events, and cannot take all the room for those
// that wait. What waits is on disk: it outlasts the end of the platform, by kill -9 too.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "logs/taps/deliveries.h"
#include "telemetry/metrics.h"

namespace securebase::logs {

// Calls a function with an event, on any of the queue's threads. kUnavailable: try again later.
using InvokeFunction = std::function<Result<Done>(const std::string& function_arn, const std::string& event)>;

// Bounded: what does not fit is dropped and counted.
class SubscriptionQueue {
 public:
  static constexpr std::size_t kWaitingBytes = 32 << 20;
  static constexpr std::size_t kShareOfFree = 3;  // one function may have so many times what nobody has
  static constexpr std::size_t kFunctionsAtOnce = 4;
  static constexpr int kAttempts = 6;

  // Reads what waits; what had to be repaired is said in the platform's log.
  static Result<std::unique_ptr<SubscriptionQueue>> open(const std::filesystem::path& path);
  ~SubscriptionQueue() { stop(); }
  SubscriptionQueue(const SubscriptionQueue&) = delete;
  SubscriptionQueue& operator=(const SubscriptionQueue&) = delete;

  // The counters outlive it.
  void start(InvokeFunction invoke, telemetry::Counter& delivered, telemetry::Counter& dropped);
  // No function is called any more. What waits, and what is pushed from now on, waits for the next start.
  void stop();
  // When it returns, the delivery is on disk. Any thread.
  void push(std::string function_arn, std::string event);

 private:
  SubscriptionQueue() = default;
  void work();
  // With mutex_ held: the oldest whose function is not being called.
  std::deque<Delivery>::const_iterator next_free() const;
  void finish(const Delivery& delivery);
  // False: it was broken off by stop(), and is not done.
  bool deliver(Delivery& delivery);
  // Set by start(), before its threads.
  InvokeFunction invoke_;
  telemetry::Counter* delivered_ = nullptr;
  telemetry::Counter* dropped_ = nullptr;
  std::mutex mutex_;
  std::condition_variable news_;
  // Guarded by mutex_.
  std::unique_ptr<Deliveries> kept_;
  std::deque<Delivery> waiting_;  // those that are under way, too
  std::size_t waiting_bytes_ = 0;
  std::unordered_map<std::string, std::size_t> bytes_of_;  // waiting, by function
  std::set<std::string, std::less<>> called_;              // functions that are being called
  bool stopping_ = false;
  std::chrono::steady_clock::time_point synced_at_;
  std::vector<std::thread> threads_;
};

}  // namespace securebase::logs
