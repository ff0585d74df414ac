#include "logs/insights/period.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

#include "logs/insights/lexer.h"

namespace securebase::logs::insights {

namespace {

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDayMs = 86'400 * kSecond;
constexpr std::int64_t kWeekMs = 7 * kDayMs;
// 1970-01-05 was a Monday.
constexpr double kFirstMonday = 4 * static_cast<double>(kDayMs);
// Beyond some hundred thousand years calendars have no meaning.
constexpr double kFarthest = 8.64e15;

struct Unit {
  std::string_view name;
  Period one;
};

constexpr Unit kUnits[] = {
    {"ms", {1, 0, false}},
    {"msec", {1, 0, false}},
    {"millisecond", {1, 0, false}},
    {"s", {kSecond, 0, false}},
    {"sec", {kSecond, 0, false}},
    {"second", {kSecond, 0, false}},
    {"m", {60 * kSecond, 0, false}},
    {"min", {60 * kSecond, 0, false}},
    {"minute", {60 * kSecond, 0, false}},
    {"h", {3600 * kSecond, 0, false}},
    {"hr", {3600 * kSecond, 0, false}},
    {"hour", {3600 * kSecond, 0, false}},
    {"d", {kDayMs, 0, false}},
    {"day", {kDayMs, 0, false}},
    {"w", {kWeekMs, 0, true}},
    {"week", {kWeekMs, 0, true}},
    {"mo", {0, 1, false}},
    {"mon", {0, 1, false}},
    {"month", {0, 1, false}},
    {"q", {0, 3, false}},
    {"qtr", {0, 3, false}},
    {"quarter", {0, 3, false}},
    {"y", {0, 12, false}},
    {"yr", {0, 12, false}},
    {"year", {0, 12, false}},
};

// Only units of more than one letter have a plural.
const Unit* find_unit(std::string_view name) {
  for (const auto& unit : kUnits) {
    if (unit.name == name) return &unit;
    if (unit.name.size() > 1 && name.size() == unit.name.size() + 1 && name.back() == 's' &&
        name.starts_with(unit.name)) {
      return &unit;
    }
  }
  return nullptr;
}

// Months since 1970-01, and back.
std::int64_t month_of(double milliseconds) {
  const std::chrono::sys_days day{std::chrono::days{static_cast<std::int64_t>(std::floor(milliseconds / kDayMs))}};
  const std::chrono::year_month_day date{day};
  return (static_cast<int>(date.year()) - 1970) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

double begin_of_month(std::int64_t month) {
  const auto year = 1970 + (month >= 0 ? month / 12 : -((-month + 11) / 12));
  const auto of_year = month - (year - 1970) * 12;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{static_cast<unsigned>(of_year + 1)}, std::chrono::day{1}};
  return static_cast<double>(std::chrono::sys_days{date}.time_since_epoch().count()) * kDayMs;
}

std::int64_t floor_of(std::int64_t value, std::int64_t step) {
  const auto rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

}  // namespace

Result<Period> parse_period(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
  const auto unit_name = lower_case({end, static_cast<std::size_t>(text.data() + text.size() - end)});
  const auto* const unit = find_unit(unit_name);
  if (failure != std::errc{} || unit == nullptr) {
    return Error{
        Errc::kMalformed,
        fmt::format("\"{}\" is not a period: expected a number and ms, s, m, h, d, w, mo, q or y, such as 5m", text)};
  }
  if (count < 1 || count > 1'000'000) {
    return Error{Errc::kMalformed, fmt::format("\"{}\": a period has 1 to 1000000 of its unit", text)};
  }
  return Period{unit->one.milliseconds * count, unit->one.months * count, unit->one.weeks};
}

double floor_to(double milliseconds, const Period& period) {
  if (period.months == 0) {
    const auto step = static_cast<double>(period.milliseconds);
    const double origin = period.weeks ? kFirstMonday : 0;
    return std::floor((milliseconds - origin) / step) * step + origin;
  }
  if (!(std::abs(milliseconds) < kFarthest / 10)) return std::nan("");
  return begin_of_month(floor_of(month_of(milliseconds), period.months));
}

double ceil_to(double milliseconds, const Period& period) {
  const double floor = floor_to(milliseconds, period);
  if (floor == milliseconds || std::isnan(floor)) return floor;
  if (period.months == 0) return floor + static_cast<double>(period.milliseconds);
  return begin_of_month(month_of(floor) + period.months);
}

}  // namespace securebase::logs::insights
