#include "monitoring/alarms/text.h"

#include <fmt/format.h>

#include "monitoring/alarms/definition.h"

namespace securebase::monitoring {

namespace {

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  long hour, minute, second, millisecond;
};

Parts parts(base::TimePoint time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto of_day = std::chrono::floor<std::chrono::milliseconds>(time - day).count();
  return {std::chrono::year_month_day{day},
          std::chrono::weekday{day},
          of_day / 3'600'000,
          of_day / 60'000 % 60,
          of_day / 1000 % 60,
          of_day % 1000};
}

}  // namespace

std::string short_time(base::TimePoint time) {
  const auto p = parts(time);
  return fmt::format("{:02}/{:02}/{:02} {:02}:{:02}:{:02}", static_cast<unsigned>(p.date.day()),
                     static_cast<unsigned>(p.date.month()), static_cast<int>(p.date.year()) % 100, p.hour, p.minute,
                     p.second);
}

std::string json_time(base::TimePoint time) {
  const auto p = parts(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+0000", static_cast<int>(p.date.year()),
                     static_cast<unsigned>(p.date.month()), static_cast<unsigned>(p.date.day()), p.hour, p.minute,
                     p.second, p.millisecond);
}

std::string long_time(base::TimePoint time) {
  constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  constexpr const char* kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
  const auto p = parts(time);
  return fmt::format("{} {:02} {}, {} {:02}:{:02}:{:02} UTC", kDays[p.weekday.c_encoding()],
                     static_cast<unsigned>(p.date.day()), kMonths[static_cast<unsigned>(p.date.month()) - 1],
                     static_cast<int>(p.date.year()), p.hour, p.minute, p.second);
}

std::string cut(std::string text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

std::string_view name_in_arn(std::string_view name_or_arn) {
  if (!name_or_arn.starts_with("arn:")) return name_or_arn;
  const auto at = name_or_arn.find(":alarm:");
  return at == std::string_view::npos ? name_or_arn : name_or_arn.substr(at + 7);
}

}  // namespace securebase::monitoring
