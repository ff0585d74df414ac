#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "stack/functions/function.h"

namespace securebase::stack {

namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// An RFC 3339 stamp keeps its offset, since formatdate() and timeadd() show it.
struct Stamp {
  sys_seconds utc;
  seconds offset{0};
  bool zulu = true;
};

int number(std::string_view text, std::size_t at, std::size_t digits) {
  if (at + digits > text.size()) return -1;
  int value = 0;
  for (const char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Stamp> parse(std::string_view text) {
  const auto is = [&](std::size_t at, char c) { return at < text.size() && text[at] == c; };
  const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  if (!is(4, '-') || !is(7, '-') || !is(10, 'T') || !is(13, ':') || !is(16, ':')) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || month < 1 || day < 1 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return std::nullopt;
  }
  std::size_t at = 19;
  if (is(at, '.')) {
    ++at;
    while (number(text, at, 1) >= 0) ++at;
  }
  Stamp stamp;
  stamp.utc = std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
  if (is(at, 'Z') && at + 1 == text.size()) return stamp;
  const int hours = number(text, at + 1, 2), minutes = number(text, at + 4, 2);
  if ((!is(at, '+') && !is(at, '-')) || !is(at + 3, ':') || at + 6 != text.size() || hours < 0 || hours > 23 ||
      minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  stamp.zulu = false;
  stamp.offset = (std::chrono::hours(hours) + std::chrono::minutes(minutes)) * (text[at] == '-' ? -1 : 1);
  stamp.utc -= stamp.offset;
  return stamp;
}

struct Fields {
  explicit Fields(const Stamp& stamp) {
    const auto local = stamp.utc + stamp.offset;
    const auto day_start = std::chrono::floor<days>(local);
    date = std::chrono::year_month_day(day_start);
    weekday = std::chrono::weekday(day_start).c_encoding();
    const auto rest = (local - day_start).count();
    hour = static_cast<int>(rest / 3600);
    minute = static_cast<int>(rest / 60 % 60);
    second = static_cast<int>(rest % 60);
  }
  int year() const { return static_cast<int>(date.year()); }
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day() const { return static_cast<unsigned>(date.day()); }

  std::chrono::year_month_day date;
  unsigned weekday;
  int hour, minute, second;
};

std::string offset_text(const Stamp& stamp, std::string_view form) {
  if (form == "Z" && stamp.offset.count() == 0) return "Z";
  if (form == "ZZZ" && stamp.offset.count() == 0) return "UTC";
  const auto minutes = std::abs(stamp.offset.count()) / 60;
  const char sign = stamp.offset.count() < 0 ? '-' : '+';
  return form == "ZZZZ" || form == "ZZZ" ? fmt::format("{}{:02}{:02}", sign, minutes / 60, minutes % 60)
                                         : fmt::format("{}{:02}:{:02}", sign, minutes / 60, minutes % 60);
}

std::string rfc3339(const Stamp& stamp) {
  const Fields f(stamp);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}", f.year(), f.month(), f.day(), f.hour, f.minute, f.second,
                     stamp.zulu ? "Z" : offset_text(stamp, "ZZZZZ"));
}

constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

std::optional<std::string> field(std::string_view form, const Stamp& stamp) {
  const Fields f(stamp);
  const int twelve = f.hour % 12 == 0 ? 12 : f.hour % 12;
  const std::string_view month = kMonths[f.month() - 1];
  const std::string_view weekday = kDays[f.weekday];
  if (form == "YYYY") return fmt::format("{:04}", f.year());
  if (form == "YY") return fmt::format("{:02}", f.year() % 100);
  if (form == "MMMM") return std::string(month);
  if (form == "MMM") return std::string(month.substr(0, 3));
  if (form == "MM") return fmt::format("{:02}", f.month());
  if (form == "M") return fmt::format("{}", f.month());
  if (form == "DD") return fmt::format("{:02}", f.day());
  if (form == "D") return fmt::format("{}", f.day());
  if (form == "EEEE") return std::string(weekday);
  if (form == "EEE") return std::string(weekday.substr(0, 3));
  if (form == "hh") return fmt::format("{:02}", f.hour);
  if (form == "h") return fmt::format("{}", f.hour);
  if (form == "HH") return fmt::format("{:02}", twelve);
  if (form == "H") return fmt::format("{}", twelve);
  if (form == "AA") return f.hour < 12 ? "AM" : "PM";
  if (form == "aa") return f.hour < 12 ? "am" : "pm";
  if (form == "mm") return fmt::format("{:02}", f.minute);
  if (form == "m") return fmt::format("{}", f.minute);
  if (form == "ss") return fmt::format("{:02}", f.second);
  if (form == "s") return fmt::format("{}", f.second);
  if (form == "Z" || form == "ZZZ" || form == "ZZZZ" || form == "ZZZZZ") return offset_text(stamp, form);
  return std::nullopt;
}

std::optional<Stamp> stamp(Arguments& a, std::size_t i) {
  const std::string text = a.text(i);
  if (a.failed()) return std::nullopt;
  auto made = parse(text);
  if (!made) a.fail(i, fmt::format("{} is not a valid RFC3339 timestamp, as 2026-01-24T00:00:00Z", in_quotes(text)));
  return made;
}

Value formatdate(Arguments& a) {
  const std::string form = a.text(0);
  const auto when = stamp(a, 1);
  if (!when) return {};
  std::string out;
  for (std::size_t i = 0; i < form.size();) {
    const char c = form[i];
    if (c == '\'') {
      const std::size_t end = form.find('\'', i + 1);
      if (end == std::string::npos) return a.fail(0, "unterminated literal '");
      out += end == i + 1 ? "'" : form.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (!std::isalpha(static_cast<unsigned char>(c))) {
      out += c;
      ++i;
    } else {
      const std::size_t end = std::min(form.find_first_not_of(c, i), form.size());
      const auto text = field(form.substr(i, end - i), *when);
      if (!text) return a.fail(0, fmt::format("invalid date format verb {}", in_quotes(form.substr(i, end - i))));
      out += *text;
      i = end;
    }
  }
  return out;
}

// Go's durations: "1h30m", "-1.5h", "300ms".
std::optional<long double> duration_seconds(std::string_view text) {
  long double total = 0;
  long double sign = 1;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0] == '-' ? -1 : 1;
    text.remove_prefix(1);
  }
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t end = text.find_first_not_of("0123456789.");
    const auto count = parse_number(text.substr(0, end));
    if (!count || end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
    static constexpr std::pair<std::string_view, long double> kUnits[] = {
        {"ns", 1e-9L}, {"us", 1e-6L}, {"\xc2\xb5s", 1e-6L}, {"ms", 1e-3L}, {"h", 3600}, {"m", 60}, {"s", 1}};
    bool known = false;
    for (const auto& [unit, length] : kUnits) {
      if (known || !text.starts_with(unit)) continue;
      total += *count * length;
      text.remove_prefix(unit.size());
      known = true;
    }
    if (!known) return std::nullopt;
  }
  return std::fabs(total) < 1e11L ? std::optional(total * sign) : std::nullopt;
}

Value timeadd(Arguments& a) {
  auto when = stamp(a, 0);
  const std::string text = a.text(1);
  const auto length = duration_seconds(text);
  if (!length) return a.fail(1, fmt::format("{} is no duration, as \"1h30m\"", in_quotes(text)));
  if (!when) return {};
  when->utc += seconds(static_cast<std::int64_t>(*length));
  return rfc3339(*when);
}

Value timecmp(Arguments& a) {
  const auto first = stamp(a, 0);
  const auto second = stamp(a, 1);
  if (!first || !second) return {};
  return first->utc < second->utc ? -1 : first->utc > second->utc ? 1 : 0;
}

Value timestamp(Arguments& a) {
  const base::Clock& clock = a.context().clock ? *a.context().clock : base::system_clock();
  return rfc3339({std::chrono::floor<seconds>(clock.now()), seconds(0), true});
}

constexpr Function kTimeFunctions[] = {
    {"formatdate", 2, 2, formatdate}, {"plantimestamp", 0, 0, timestamp}, {"timeadd", 2, 2, timeadd},
    {"timecmp", 2, 2, timecmp},       {"timestamp", 0, 0, timestamp},
};

}  // namespace

std::span<const Function> time_functions() { return kTimeFunctions; }

}  // namespace securebase::stack
