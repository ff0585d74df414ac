#include "base/clock.h"

#include <fmt/chrono.h>

#include <ctime>

namespace securebase::base {

namespace {

class SystemClock final : public Clock {
 public:
  TimePoint now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  SteadyPoint steady() const override { return std::chrono::steady_clock::now(); }
};

std::tm utc(TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t value = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&value, &parts);
  return parts;
}

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

ManualClock::ManualClock(TimePoint start) : start_(start) {}

TimePoint ManualClock::now() const { return start_ + std::chrono::microseconds{elapsed_us_.load()}; }

SteadyPoint ManualClock::steady() const {
  // Far from zero, so that "a while ago" is still a valid point.
  return SteadyPoint{std::chrono::hours{1000}} + std::chrono::microseconds{elapsed_us_.load()};
}

void ManualClock::advance(std::chrono::microseconds by) { elapsed_us_ += by.count(); }

std::string http_date(TimePoint time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm t = utc(time);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[t.tm_wday], t.tm_mday, kMonths[t.tm_mon],
                     t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string iso8601(TimePoint time) {
  const std::tm t = utc(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::string iso8601_millis(TimePoint time) {
  const std::tm t = utc(time);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count() % 1000;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec, (millis + 1000) % 1000);
}

}  // namespace securebase::base
