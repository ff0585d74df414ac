// How a virtual user is told to end what it is doing: at a time known beforehand (the end of a graceful stop), or now
// (abort, Ctrl-C). Whatever waits, waits with poll() on wake_fd() too, and looks at due().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace securebase::k6 {

using Steady = std::chrono::steady_clock;

// One of a run, shared by all users. Any thread.
class StopAll {
 public:
  StopAll();
  ~StopAll();
  StopAll(const StopAll&) = delete;
  StopAll& operator=(const StopAll&) = delete;

  void stop();  // async-signal-safe
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  int wake_fd() const { return fd_; }  // readable once stopped
  // Sleeps until then; false: stopped before.
  bool sleep_until(Steady::time_point until) const;

 private:
  std::atomic<bool> stopped_{false};
  int fd_ = -1;
};

// One of a user. The deadline is set and read by its own thread, and read by its watchdog.
class Interruption {
 public:
  explicit Interruption(const StopAll& all) : all_(all) {}

  void set_deadline(Steady::time_point deadline) { deadline_ = deadline.time_since_epoch().count(); }
  void clear_deadline() { deadline_ = kNever; }
  Steady::time_point deadline() const { return Steady::time_point{Steady::duration{deadline_.load()}}; }
  // While setup and teardown run, stopping all does not count.
  void ignore_stop(bool ignored) { ignored_ = ignored; }
  bool due() const { return (!ignored_ && all_.stopped()) || Steady::now().time_since_epoch().count() >= deadline_; }
  int wake_fd() const { return ignored_ ? -1 : all_.wake_fd(); }
  // Sleeps until then, or until it is due; false: due.
  bool sleep_until(Steady::time_point until) const;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  const StopAll& all_;
  std::atomic<std::int64_t> deadline_{kNever};
  std::atomic<bool> ignored_{false};
};

}  // namespace securebase::k6
