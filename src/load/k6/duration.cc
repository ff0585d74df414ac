#include "k6/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace securebase::k6 {

namespace {

constexpr double kMostSeconds = 10.0 * 366 * 86'400;

Error wrong_duration(std::string_view text) {
  return Error{Errc::kMalformed,
               fmt::format("'{}' is not a duration: expected something like \"1m30s\", \"500ms\" or a "
                           "number of milliseconds",
                           text.substr(0, 60))};
}

// Seconds in the unit that `text` begins with, which is taken away; 0: none.
double take_unit(std::string_view& text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  static constexpr Unit kUnits[] = {{"ms", 1e-3},  {"us", 1e-6}, {"\xc2\xb5s", 1e-6}, {"ns", 1e-9},
                                    {"d", 86'400}, {"h", 3600},  {"m", 60},           {"s", 1}};
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.seconds;
  }
  return 0;
}

}  // namespace

Result<Nanoseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  if (rest.empty()) return wrong_duration(text);
  double seconds = 0;
  while (!rest.empty()) {
    double count = 0;
    const auto [end, failure] =
        std::from_chars(rest.data(), rest.data() + rest.size(), count, std::chars_format::fixed);
    if (failure != std::errc{} || !std::isfinite(count) || count < 0 || rest.front() == '-')
      return wrong_duration(text);
    const bool whole = rest.size() == text.size();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) {
      if (!whole) return wrong_duration(text);
      seconds = count / 1000;
      break;
    }
    const double unit = take_unit(rest);
    if (unit == 0) return wrong_duration(text);
    seconds += count * unit;
  }
  if (seconds > kMostSeconds) return Error{Errc::kLimit, fmt::format("'{}' is more than 10 years", text.substr(0, 60))};
  return Nanoseconds{std::llround(seconds * 1e9)};
}

Result<Nanoseconds> duration_from(const base::Json& value) {
  if (const auto* text = value.as_string()) return parse_duration(*text);
  if (value.is_number()) {
    const double milliseconds = value.number_or(-1);
    if (milliseconds >= 0 && milliseconds / 1000 <= kMostSeconds) return Nanoseconds{std::llround(milliseconds * 1e6)};
  }
  return wrong_duration(value.dump());
}

std::string duration_text(Nanoseconds duration) {
  const auto total = duration.count();
  if (total == 0) return "0s";
  if (total < 1'000'000) return fmt::format("{}us", static_cast<double>(total) / 1e3);
  if (total < 1'000'000'000) return fmt::format("{}ms", static_cast<double>(total) / 1e6);
  std::string text;
  auto left = total;
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (left >= 3600 * kSecond) {
    text += fmt::format("{}h", left / (3600 * kSecond));
    left %= 3600 * kSecond;
  }
  if (left >= 60 * kSecond || !text.empty()) {
    text += fmt::format("{}m", left / (60 * kSecond));
    left %= 60 * kSecond;
  }
  return text + fmt::format("{}s", std::round(static_cast<double>(left) / 1e6) / 1e3);
}

}  // namespace securebase::k6
