#include "prober/schedule.h"

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <vector>

namespace securebase::prober {

namespace {

using std::chrono::seconds;

constexpr seconds kLongestRate{3600};  // the service's own
constexpr int kFirstYear = 1970;
constexpr int kSearchedDays = 366 * 9;  // leap days are at most eight years apart

Error not_a_schedule(std::string_view why) {
  return {Errc::kMalformed, fmt::format("a schedule is rate(5 minutes) or cron(0/10 * * * ? *): {}", why)};
}

bool read_whole_number(std::string_view text, int& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

// What one field of cron may hold.
struct Range {
  std::string_view name;
  int low;
  int high;
  std::string_view words;  // "JANFEB...", three letters each, for `low` and on
};

std::optional<int> value_in(const Range& range, std::string_view text) {
  int number = 0;
  if (read_whole_number(text, number)) {
    if (number < range.low || number > range.high) return std::nullopt;
    return number;
  }
  if (text.size() != 3) return std::nullopt;
  std::string upper(text);
  for (auto& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  const auto at = range.words.find(upper);
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  return range.low + static_cast<int>(at / 3);
}

// "*", "?", "5", "1,2", "8-17", "0/10", "MON-FRI".
template <std::size_t N>
Result<Done> read_field(const Range& range, std::string_view text, int offset, std::bitset<N>& into) {
  const auto wrong = [&] {
    return not_a_schedule(
        fmt::format("\"{}\" is no {}: numbers from {} to {}, with , - / and *; L, W and # are not read", text,
                    range.name, range.low, range.high));
  };
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    auto part = text.substr(begin, end - begin);
    begin = end + 1;
    int step = 1;
    const auto slash = part.find('/');
    if (slash != std::string_view::npos) {
      if (!read_whole_number(part.substr(slash + 1), step) || step < 1) return wrong();
      part = part.substr(0, slash);
    }
    int low = range.low;
    int high = range.high;
    if (part != "*" && part != "?") {
      const auto hyphen = part.find('-');
      const auto first = value_in(range, part.substr(0, hyphen));
      if (!first) return wrong();
      low = *first;
      if (hyphen != std::string_view::npos) {
        const auto last = value_in(range, part.substr(hyphen + 1));
        if (!last || *last < low) return wrong();
        high = *last;
      } else if (slash == std::string_view::npos) {
        high = low;
      }
    }
    for (int value = low; value <= high; value += step) into.set(static_cast<std::size_t>(value - offset));
  }
  return Done{};
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view expression) {
  const auto inside = [&](std::string_view name) -> std::optional<std::string_view> {
    if (!expression.starts_with(name) || !expression.ends_with(')')) return std::nullopt;
    return expression.substr(name.size(), expression.size() - name.size() - 1);
  };
  if (const auto rate = inside("rate(")) return parse_rate(*rate);
  if (const auto cron = inside("cron(")) return parse_cron(*cron);
  return not_a_schedule(fmt::format("\"{}\" is neither", expression));
}

Result<Schedule> Schedule::parse_rate(std::string_view inside) {
  const auto blank = inside.find(' ');
  int count = 0;
  if (blank == std::string_view::npos || !read_whole_number(inside.substr(0, blank), count) || count < 0) {
    return not_a_schedule(fmt::format("\"rate({})\" is no number with a unit", inside));
  }
  const auto unit = inside.substr(blank + 1);
  seconds each{0};
  if (unit == "second" || unit == "seconds") each = seconds{1};
  if (unit == "minute" || unit == "minutes") each = seconds{60};
  if (unit == "hour" || unit == "hours") each = seconds{3600};
  if (each.count() == 0) return not_a_schedule(fmt::format("\"{}\" is not seconds, minutes or hour", unit));
  if (count > kLongestRate / each) return not_a_schedule("a rate is at most one hour; longer ones are written as cron");
  Schedule made;
  made.rate_ = each * count;
  return made;
}

Result<Schedule> Schedule::parse_cron(std::string_view inside) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < inside.size();) {
    const auto end = std::min(inside.find(' ', begin), inside.size());
    if (end > begin) words.push_back(inside.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words.size() != 6)
    return not_a_schedule("cron has six fields: minutes hours day-of-month month day-of-week year");
  if ((words[2] == "?") == (words[4] == "?")) {
    return not_a_schedule("of cron's day of the month and day of the week one is ?");
  }
  Schedule made;
  made.is_cron_ = true;
  auto& fields = made.fields_;
  fields.by_week_day = words[2] == "?";
  const auto check = [](Result<Done> read, Result<Done>& all) {
    if (all && !read) all = read;
  };
  Result<Done> all = Done{};
  check(read_field({"minute", 0, 59, ""}, words[0], 0, fields.minutes), all);
  check(read_field({"hour", 0, 23, ""}, words[1], 0, fields.hours), all);
  check(read_field({"day of the month", 1, 31, ""}, words[2], 0, fields.days), all);
  check(read_field({"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"}, words[3], 0, fields.months), all);
  check(read_field({"day of the week", 1, 7, "SUNMONTUEWEDTHUFRISAT"}, words[4], 0, fields.week_days), all);
  check(read_field({"year", kFirstYear, 2169, ""}, words[5], kFirstYear, fields.years), all);
  if (!all) return all.error();
  return made;
}

std::optional<base::TimePoint> Schedule::next(base::TimePoint after) const {
  using std::chrono::days;
  if (!is_cron_) {
    if (rate_.count() == 0) return std::nullopt;
    const auto each = std::chrono::duration_cast<base::TimePoint::duration>(rate_);
    return after + (each - after.time_since_epoch() % each);
  }
  const auto from = std::chrono::floor<std::chrono::minutes>(after) + std::chrono::minutes{1};
  auto day = std::chrono::floor<days>(from);
  for (int searched = 0; searched < kSearchedDays; ++searched, day += days{1}) {
    const std::chrono::year_month_day date{day};
    const auto year = static_cast<int>(date.year()) - kFirstYear;
    if (year < 0 || year >= static_cast<int>(fields_.years.size()) || !fields_.years[static_cast<std::size_t>(year)]) {
      continue;
    }
    const auto week_day = std::chrono::weekday{day}.c_encoding() + 1;
    const bool is_day =
        fields_.by_week_day ? fields_.week_days[week_day] : fields_.days[static_cast<unsigned>(date.day())];
    if (!is_day || !fields_.months[static_cast<unsigned>(date.month())]) continue;
    for (std::size_t hour = 0; hour < 24; ++hour) {
      if (!fields_.hours[hour]) continue;
      for (std::size_t minute = 0; minute < 60; ++minute) {
        if (!fields_.minutes[minute]) continue;
        const base::TimePoint at = day + std::chrono::hours{hour} + std::chrono::minutes{minute};
        if (at >= from) return at;
      }
    }
  }
  return std::nullopt;
}

seconds Schedule::interval(base::TimePoint now) const {
  if (!is_cron_) return rate_;
  const auto first = next(now);
  const auto second = first ? next(*first) : std::nullopt;
  return second ? std::chrono::duration_cast<seconds>(*second - *first) : seconds{0};
}

}  // namespace securebase::prober
