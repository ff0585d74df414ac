// Time comes in through an interface, so that a test can hold it still.
#pragma once

#include <atomic>
#include <chrono>
#include <string>

namespace securebase::base {

// Wall time, for stamps that people and other machines read.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
// Monotonic time, for durations and deadlines.
using SteadyPoint = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual SteadyPoint steady() const = 0;
};

// The machine's own clocks. Any thread.
const Clock& system_clock();

// Stands still until told to move; both of its faces move together. Any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint{std::chrono::seconds{1'700'000'000}});
  TimePoint now() const override;
  SteadyPoint steady() const override;
  void advance(std::chrono::microseconds by);

 private:
  const TimePoint start_;
  std::atomic<std::int64_t> elapsed_us_{0};
};

// "Tue, 24 Nov 2026 06:57:25 GMT": IMF-fixdate, RFC 9110 §5.6.7.
std::string http_date(TimePoint time);
// "2026-11-24T06:57:25Z" and "2026-11-24T06:57:25.123Z", RFC 3339.
std::string iso8601(TimePoint time);
std::string iso8601_millis(TimePoint time);

}  // namespace securebase::base
