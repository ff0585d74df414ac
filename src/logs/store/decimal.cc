#include "logs/store/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace securebase::logs {

namespace {

constexpr std::size_t kMostDigits = 15;  // of a number that a double holds exactly
constexpr double kMostMantissa = 1e15;
constexpr double kTens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

bool ends_in_zero(const Decimal& number) { return std::fmod(number.mantissa, 10) == 0; }

bool is_shortest(const Decimal& number) { return number.decimals == 0 || !ends_in_zero(number); }

bool is_shortest_with_point(const Decimal& number) {
  return number.decimals == 1 || (number.decimals > 1 && !ends_in_zero(number));
}

// A quotient is rounded correctly, as the reading of digits is: of two decimals of at most 15 digits no two are the
// same double, so the first that is the number is the one that was written.
void append_shortest(std::string& out, double number, int least_decimals) {
  for (int decimals = least_decimals; decimals <= kMostDecimals; ++decimals) {
    const Decimal tried{std::nearbyint(number * kTens[decimals]), decimals};
    if (!(std::abs(tried.mantissa) < kMostMantissa)) return;
    if (tried.value() == number) return append_decimal(out, tried);
  }
}

}  // namespace

double Decimal::value() const { return mantissa / kTens[decimals]; }

std::optional<Decimal> decimal_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative ? 1 : 0);
  const auto point = std::min(digits.find('.'), digits.size());
  const auto whole = digits.substr(0, point);
  const auto rest = digits.substr(std::min(point + 1, digits.size()));
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0') || (point < digits.size() && rest.empty()))
    return std::nullopt;
  if (whole.size() + rest.size() > kMostDigits) return std::nullopt;
  std::int64_t value = 0;
  for (const auto part : {whole, rest}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
  }
  if (negative && value == 0) return std::nullopt;
  return Decimal{static_cast<double>(negative ? -value : value), static_cast<int>(rest.size())};
}

std::optional<NumberForm> form_of(std::span<const Decimal> numbers) {
  if (numbers.empty()) return std::nullopt;
  const auto all = [numbers](auto has) { return std::all_of(numbers.begin(), numbers.end(), has); };
  const int decimals = numbers.front().decimals;
  if (all([decimals](const Decimal& number) { return number.decimals == decimals; })) {
    return static_cast<NumberForm>(decimals);
  }
  if (all(is_shortest)) return kShortest;
  if (all(is_shortest_with_point)) return kShortestWithPoint;
  return std::nullopt;
}

void append_number(std::string& out, double number, NumberForm form) {
  if (form == kShortest) return append_shortest(out, number, 0);
  if (form == kShortestWithPoint) return append_shortest(out, number, 1);
  if (form > kMostDecimals) return;
  append_decimal(out, {std::nearbyint(number * kTens[form]), form});
}

void append_decimal(std::string& out, const Decimal& decimal) {
  if (!(std::abs(decimal.mantissa) < kMostMantissa)) return;
  const auto value = static_cast<std::int64_t>(decimal.mantissa);
  const auto decimals = static_cast<std::size_t>(decimal.decimals);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value < 0 ? -value : value).ptr;
  const auto count = static_cast<std::size_t>(end - digits);
  if (value < 0) out.push_back('-');
  if (decimals == 0) {
    out.append(digits, count);
  } else if (count > decimals) {
    out.append(digits, count - decimals).push_back('.');
    out.append(digits + count - decimals, decimals);
  } else {
    out.append("0.").append(decimals - count, '0').append(digits, count);
  }
}

}  // namespace securebase::logs
