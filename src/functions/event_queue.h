// Events that nobody waits for: taken, kept on disk, given to their functions until they succeed or are given up (AWS
// Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation").
//
// One file to an event, <state>/functions/queue/ID: a line of JSON, then the event. Its bytes are read when it is its
// turn, so a long queue costs disk, not memory. A crash may give an event twice, never lose one that was taken.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "functions/functions.h"
#include "net/event.h"

namespace securebase::functions {

class EventQueue {
 public:
  struct Limits {
    std::size_t event_bytes = 1 << 20;                    // Lambda's limit of an asynchronous call
    std::size_t events = 100'000;                         // some 20 MB of what is remembered of each
    std::uint64_t bytes = std::uint64_t{1} << 30;         // on disk
    std::size_t at_once = 64;                             // calls under way
    std::chrono::milliseconds retry_after{60'000};        // the second time twice as long
    std::chrono::milliseconds longest_back_off{300'000};  // where it is throttled, doubling from a second
  };
  struct Metrics {
    telemetry::Counter* received = nullptr;
    telemetry::Counter* dropped = nullptr;
    telemetry::Distribution* age = nullptr;
  };
  struct Doors {
    Invoker& invoker;
    net::Workers& workers;
    const base::Clock& clock;
    std::function<EventInvoke(const std::string& function)> policy;
    std::function<Metrics(const std::string& function)> metrics;
  };

  EventQueue(std::filesystem::path directory, Limits limits, Doors doors);

  // Takes up what a former run left, and begins to give events away on the first worker.
  Result<Done> start();
  // No further calls; what is under way ends by itself. What is left stays on disk.
  void stop();

  // Any thread but a worker's; blocks. On disk when it returns.
  Result<std::string> put(const std::string& function, std::string_view event);
  std::size_t waiting() const;

 private:
  struct Entry {
    std::string id;
    std::string function;
    base::TimePoint accepted;
    std::uint64_t bytes = 0;
    unsigned failures = 0;
    std::chrono::milliseconds back_off{0};
  };

  std::filesystem::path file_of(const std::string& id) const { return directory_ / id; }
  static std::string head_of(const Entry& entry);
  Result<Entry> read_entry(const std::filesystem::path& file) const;
  net::Task<void> deliver();
  net::Task<Result<Done>> wait_for_news(std::uint64_t ticket);
  net::Task<void> attempt(Entry entry);
  net::Task<Result<std::string>> event_of(std::string id);
  void again(Entry entry, std::chrono::milliseconds after);
  void done(const Entry& entry);
  void give_up(const Entry& entry, std::string_view why);

  const std::filesystem::path directory_;
  const Limits limits_;
  const Doors doors_;
  net::Event news_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::multimap<base::SteadyPoint, Entry> due_;
  std::size_t under_way_ = 0;
  std::uint64_t bytes_ = 0;
  net::Pool files_;  // last: its thread ends before the rest goes
};

}  // namespace securebase::functions
