// A thread that looks at something again and again: levels that nobody tells us of (another process's memory, a
// server's own counters) become samples of a Distribution, as many as there were looks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace securebase::telemetry {

class Sampler {
 public:
  // Calls `look` from a thread of its own, which may block; a look that takes longer than the interval is followed by
  // the next one at once, never by two.
  Sampler(std::chrono::milliseconds interval, std::function<void()> look);
  ~Sampler();  // waits for the look under way
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

 private:
  void run();

  const std::chrono::milliseconds interval_;
  const std::function<void()> look_;
  std::mutex mutex_;
  std::condition_variable ending_bell_;
  bool ending_ = false;  // under the mutex
  std::thread thread_;   // last: it uses the others
};

}  // namespace securebase::telemetry
