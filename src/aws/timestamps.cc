#include "aws/timestamps.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace securebase::aws {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

// Seconds of 0001-01-01 and 9999-12-31T23:59:59, what iso8601 can write.
constexpr double kFirst = -62'135'596'800.0;
constexpr double kLast = 253'402'300'799.0;

// Takes digits, signs and words from the front of a text; after a failure everything fails.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return fail();
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  void literal(std::string_view text) {
    if (!take(text)) fail();
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // ".123456789": microseconds.
  int fraction() {
    if (!take(".")) return 0;
    int value = 0, places = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      if (places < 6) value = value * 10 + (rest_.front() - '0');
      ++places;
      rest_.remove_prefix(1);
    }
    if (places == 0 || places > 9) return fail();
    for (; places < 6; ++places) value *= 10;
    return value;
  }
  bool is_done() const { return good_ && rest_.empty(); }
  bool is_good() const { return good_; }

 private:
  int fail() {
    good_ = false;
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::optional<base::TimePoint> make_time(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
}

std::optional<base::TimePoint> parse_iso8601(std::string_view text) {
  Scanner scan(text);
  const int year = scan.digits(4);
  scan.literal("-");
  const int month = scan.digits(2);
  scan.literal("-");
  const int day = scan.digits(2);
  if (scan.is_done()) return make_time(year, month, day, 0, 0, 0);  // a date alone, as people type it
  if (!scan.take("T") && !scan.take("t")) scan.literal(" ");
  const int hour = scan.digits(2);
  scan.literal(":");
  const int minute = scan.digits(2);
  int second = 0;
  if (scan.take(":")) second = scan.digits(2);
  const int micros = scan.fraction();
  int offset_minutes = 0;
  if (!scan.take("Z") && !scan.take("z") && !scan.is_done()) {
    const bool west = scan.take("-");
    if (!west) scan.literal("+");
    const int hours = scan.digits(2);
    scan.take(":");
    offset_minutes = (hours * 60 + scan.digits(2)) * (west ? -1 : 1);
  }
  if (!scan.is_done()) return std::nullopt;
  auto time = make_time(year, month, day, hour, minute, second);
  if (!time) return std::nullopt;
  return *time + microseconds(micros) - std::chrono::minutes(offset_minutes);
}

// IMF-fixdate only (RFC 9110 §5.6.7); a fraction of the second, which some clients add, is taken.
std::optional<base::TimePoint> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() < 5 || text[3] != ',') return std::nullopt;
  Scanner scan(text.substr(4));
  scan.literal(" ");
  const int day = scan.digits(2);
  scan.literal(" ");
  int month = 0;
  for (std::size_t i = 0; i < kMonths.size() && month == 0; ++i) {
    if (scan.take(kMonths[i])) month = static_cast<int>(i) + 1;
  }
  scan.literal(" ");
  const int year = scan.digits(4);
  scan.literal(" ");
  const int hour = scan.digits(2);
  scan.literal(":");
  const int minute = scan.digits(2);
  scan.literal(":");
  const int second = scan.digits(2);
  const int micros = scan.fraction();
  if (!scan.take(" GMT")) scan.literal(" UTC");
  if (!scan.is_done() || month == 0) return std::nullopt;
  auto time = make_time(year, month, day, hour, minute, second);
  if (!time) return std::nullopt;
  return *time + microseconds(micros);
}

}  // namespace

std::optional<base::TimePoint> time_from_seconds(double value) {
  if (!std::isfinite(value) || value < kFirst || value > kLast) return std::nullopt;
  const double whole = std::floor(value);
  const auto micros = static_cast<std::int64_t>(std::llround((value - whole) * 1e6));
  return base::TimePoint{seconds{static_cast<std::int64_t>(whole)}} + microseconds{micros};
}

std::optional<base::TimePoint> parse_time(std::string_view text) {
  if (auto time = parse_iso8601(text)) return time;
  if (auto time = parse_http_date(text)) return time;
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return time_from_seconds(value);
}

double seconds_of(base::TimePoint time) { return static_cast<double>(time.time_since_epoch().count()) / 1e6; }

std::string format_time(base::TimePoint time, TimeFormat format) {
  const bool whole = time.time_since_epoch().count() % 1'000'000 == 0;
  switch (format) {
    case TimeFormat::kHttpDate:
      return base::http_date(time);
    case TimeFormat::kUnix:
      if (whole) return fmt::format("{}", time.time_since_epoch().count() / 1'000'000);
      return fmt::format("{:.3f}", seconds_of(time));
    case TimeFormat::kIso8601:
    case TimeFormat::kByProtocol:
      break;
  }
  return whole ? base::iso8601(time) : base::iso8601_millis(time);
}

std::optional<base::TimePoint> parse_compact_time(std::string_view text) {
  Scanner scan(text);
  const int year = scan.digits(4), month = scan.digits(2), day = scan.digits(2);
  scan.literal("T");
  const int hour = scan.digits(2), minute = scan.digits(2), second = scan.digits(2);
  scan.literal("Z");
  if (!scan.is_done()) return std::nullopt;
  return make_time(year, month, day, hour, minute, second);
}

std::string format_compact_time(base::TimePoint time) {
  std::string text = base::iso8601(time);  // 2026-11-24T06:57:25Z
  std::erase(text, '-');
  std::erase(text, ':');
  return text;
}

}  // namespace securebase::aws
