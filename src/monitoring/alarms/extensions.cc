#include "monitoring/alarms/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace securebase::monitoring {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPrefix = "securebase:";
constexpr auto kLongestDuration = std::chrono::seconds(std::chrono::hours(24) * 31);

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::vector<std::string_view> words(std::string_view text) {
  auto parts = split(text, " ");
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return parts;
}

std::optional<std::chrono::minutes> minute_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = number_in(text.substr(0, 2));
  const auto minutes = number_in(text.substr(3));
  if (!hours || !minutes || *hours < 0 || *minutes < 0 || *hours > 24 || *minutes > 59 ||
      *hours * 60 + *minutes > 24 * 60)
    return std::nullopt;
  return std::chrono::minutes(static_cast<int>(*hours) * 60 + static_cast<int>(*minutes));
}

std::optional<unsigned> day_number(std::string_view text) {
  constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto* at = std::find(std::begin(kDays), std::end(kDays), text);
  return at == std::end(kDays) ? std::nullopt : std::optional(static_cast<unsigned>(at - std::begin(kDays)));
}

std::optional<unsigned> days_in(std::string_view text) {
  if (text == "daily") return 0x7f;
  const auto ends = split(text, "-");
  const auto first = day_number(ends.front());
  const auto last = day_number(ends.back());
  if (!first || !last || ends.size() > 2) return std::nullopt;
  unsigned days = 0;
  for (unsigned day = *first;; day = (day + 1) % 7) {
    days |= 1U << day;
    if (day == *last) return days;
  }
}

// "2026-11-28T02:00Z"
std::optional<base::TimePoint> time_in(std::string_view text) {
  if (text.size() != 17 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[16] != 'Z') return std::nullopt;
  const auto year = number_in(text.substr(0, 4)), month = number_in(text.substr(5, 2)),
             day = number_in(text.substr(8, 2));
  const auto minute = minute_of_day(text.substr(11, 5));
  if (!year || !month || !day || !minute) return std::nullopt;
  if (*year < 1970 || *year > 9999 || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return base::TimePoint(std::chrono::sys_days(date)) + *minute;
}

std::optional<MaintenanceWindow> window_in(std::string_view text) {
  MaintenanceWindow made;
  const auto parts = words(text);
  if (parts.size() == 3 && parts[1] == "to") {
    made.start = time_in(parts[0]);
    made.end = time_in(parts[2]);
    if (!made.start || !made.end || *made.end <= *made.start) return std::nullopt;
    return made;
  }
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  const auto days = parts.size() == 2 ? days_in(parts[0]) : std::optional(0x7fU);
  const auto ends = split(parts.back(), "-");
  if (!days || ends.size() != 2) return std::nullopt;
  const auto from = minute_of_day(ends[0]);
  const auto until = minute_of_day(ends[1]);
  if (!from || !until) return std::nullopt;
  made.days = *days;
  made.from = *from;
  made.until = *until;
  return made;
}

std::optional<BurnRate> burn_rate_in(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() != 3 || !parts[0].ends_with('x')) return std::nullopt;
  const auto factor = number_in(parts[0].substr(0, parts[0].size() - 1));
  const auto long_window = parse_duration(parts[1]);
  const auto short_window = parse_duration(parts[2]);
  if (!factor || *factor <= 0 || !long_window || !short_window) return std::nullopt;
  for (const auto window : {*long_window, *short_window}) {
    if (window % 60s != 0s || window == 0s || (window > 24h && window % 24h != 0s)) return std::nullopt;
  }
  if (*short_window > *long_window) return std::nullopt;
  return BurnRate{*factor, *long_window, *short_window};
}

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto number = number_in(text.substr(0, text.size() - 1));
  const char unit = text.back();
  const std::int64_t seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : unit == 'd' ? 86'400 : 0;
  if (!number || seconds == 0 || *number < 0 ||
      *number * static_cast<double>(seconds) > static_cast<double>(kLongestDuration.count())) {
    return std::nullopt;
  }
  return std::chrono::seconds(static_cast<std::int64_t>(*number * static_cast<double>(seconds)));
}

std::string duration_text(std::chrono::seconds duration) {
  const auto count = duration.count();
  if (count == 0 || count % 60 != 0) return fmt::format("{}s", count);
  if (count % 3600 != 0) return fmt::format("{}m", count / 60);
  return count % 86'400 == 0 ? fmt::format("{}d", count / 86'400) : fmt::format("{}h", count / 3600);
}

bool MaintenanceWindow::holds(base::TimePoint time) const {
  if (start) return time >= *start && time < *end;
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const auto of_day = std::chrono::floor<std::chrono::minutes>(time - day);
  const unsigned today = std::chrono::weekday{day}.iso_encoding() - 1;
  const unsigned yesterday = (today + 6) % 7;
  if (from < until) return (days >> today & 1) && of_day >= from && of_day < until;
  return ((days >> today & 1) && of_day >= from) || ((days >> yesterday & 1) && of_day < until);
}

bool Extensions::in_maintenance(base::TimePoint time) const {
  return std::any_of(maintenance.begin(), maintenance.end(), [&](const auto& window) { return window.holds(time); });
}

Result<Extensions> extensions_from(const std::map<std::string, std::string>& tags) {
  Extensions made;
  for (const auto& [key, value] : tags) {
    if (!key.starts_with(kPrefix)) continue;
    const auto name = std::string_view(key).substr(kPrefix.size());
    const auto wrong = [&](std::string_view expected) {
      return Error{Errc::kMalformed, fmt::format("Tag {} is \"{}\"; expected {}", key, value, expected)};
    };
    const auto duration = [&](std::chrono::seconds& into) -> Result<Done> {
      const auto parsed = parse_duration(value);
      if (!parsed) return wrong("a duration of up to 31 days, such as 5m");
      into = *parsed;
      return Done{};
    };
    Result<Done> done = Done{};
    if (name == "recovery-threshold" || name == "objective") {
      const auto number = number_in(value);
      if (!number) return wrong("a number");
      if (name == "objective" && (*number <= 0 || *number >= 100)) return wrong("per cent, above 0 and below 100");
      (name == "objective" ? made.objective : made.recovery_threshold) = *number;
    } else if (name == "hold") {
      done = duration(made.hold);
    } else if (name == "reminder") {
      done = duration(made.reminder);
      if (done && made.reminder < 60s) return wrong("a minute or more");
    } else if (name == "settling") {
      std::chrono::seconds settling{0};
      done = duration(settling);
      made.settling = settling;
    } else if (name == "flapping") {
      const auto parts = words(value);
      const auto changes = parts.size() == 3 && parts[1] == "in" ? number_in(parts[0]) : std::nullopt;
      const auto within = parts.size() == 3 ? parse_duration(parts[2]) : std::nullopt;
      if (!changes || *changes < 2 || *changes > 1000 || !within || *within < 60s) {
        return wrong("how many changes in what time, such as \"4 in 1h\"");
      }
      made.flapping_changes = static_cast<int>(*changes);
      made.flapping_within = *within;
    } else if (name == "incident") {
      if (value.empty()) return wrong("the name of the incident");
      made.incident = value;
    } else if (name == "maintenance") {
      for (const auto part : split(value, " / ")) {
        const auto window = window_in(part);
        if (!window) {
          return wrong(
              "\"sat-sun 02:00-04:00\", \"daily 23:00-01:00\" or \"2026-11-28T02:00Z to 2026-11-28T04:00Z\" "
              "(UTC), several with \" / \" between them");
        }
        made.maintenance.push_back(*window);
      }
    } else if (name == "burn-rate") {
      for (const auto part : split(value, " / ")) {
        const auto rate = burn_rate_in(part);
        if (!rate)
          return wrong(
              "\"14.4x 1h 5m\": a factor, a long and a short window of whole minutes (above a day, of "
              "whole days), several with \" / \" between them");
        made.burn_rates.push_back(*rate);
      }
    } else if (name != "id") {
      return Error{
          Errc::kMalformed,
          fmt::format("Tag {} is no setting of alarms; there are recovery-threshold, hold, reminder, flapping, "
                      "incident, maintenance, settling, objective, burn-rate",
                      key)};
    }
    if (!done) return done.error();
  }
  if (made.objective && made.burn_rates.empty()) {
    made.burn_rates = {{14.4, 1h, 5min}, {6, 6h, 30min}};  // a page for 2 % of a month's budget in 1 h, 5 % in 6 h
  }
  if (!made.burn_rates.empty() && !made.objective) {
    return Error{Errc::kMalformed, "Tag securebase:burn-rate needs securebase:objective, such as 99.95"};
  }
  return made;
}

}  // namespace securebase::monitoring
