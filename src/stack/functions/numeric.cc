#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stack/functions/function.h"

namespace securebase::stack {

namespace {

Value abs_of(Arguments& a) { return std::fabs(a.number(0)); }
Value ceil_of(Arguments& a) { return std::ceil(a.number(0)); }
Value floor_of(Arguments& a) { return std::floor(a.number(0)); }

Value log_of(Arguments& a) {
  const auto number = a.number(0);
  const auto base = a.number(1);
  if (number <= 0) return a.fail(0, "a number above 0 is required");
  if (base <= 0 || base == 1) return a.fail(1, "a base above 0 that is not 1 is required");
  // In doubles, as Terraform: log(1000, 10) is 2.9999999999999996 there, and configurations round it.
  return std::log(static_cast<double>(number)) / std::log(static_cast<double>(base));
}

Value pow_of(Arguments& a) {
  const auto power = std::pow(a.number(0), a.number(1));
  if (!std::isfinite(power)) return a.fail("the result is no finite number");
  return power;
}

Value signum(Arguments& a) {
  const auto number = a.number(0);
  return number < 0 ? -1 : number > 0 ? 1 : 0;
}

template <class Better>
Value best(Arguments& a, Better better) {
  auto found = a.number(0);
  for (std::size_t i = 1; i < a.size(); ++i) {
    const auto next = a.number(i);
    if (better(next, found)) found = next;
  }
  return found;
}
Value max_of(Arguments& a) {
  return best(a, [](auto x, auto y) { return x > y; });
}
Value min_of(Arguments& a) {
  return best(a, [](auto x, auto y) { return x < y; });
}

Value sum(Arguments& a) {
  const auto& list = a.list(0);
  if (list.empty()) return a.fail(0, "cannot sum an empty list");
  Value::Number total = 0;
  for (const auto& element : list) {
    const auto number = element.to_number();
    if (!number) return a.fail(0, "the elements must be numbers");
    total += *number;
  }
  return total;
}

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  if (c >= 'A' && c <= 'Z') return c - 'A' + 36;
  return 99;
}

Value parseint(Arguments& a) {
  const std::string text = a.text(0);
  const auto base = a.integer(1);
  if (base < 2 || base > 62) return a.fail(1, "base must be a whole number between 2 and 62 inclusive");
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || text.starts_with('+')) digits.remove_prefix(1);
  Value::Number number = 0;
  for (const char c : digits) {
    int digit = digit_value(c);
    if (base <= 36 && digit >= 36) digit -= 26;
    if (digit >= base) digits = {};
    if (digits.empty()) break;
    number = number * static_cast<Value::Number>(base) + digit;
  }
  if (digits.empty()) return a.fail(0, fmt::format("cannot parse {} as a base {} integer", in_quotes(text), base));
  return negative ? -number : number;
}

constexpr Function kNumericFunctions[] = {
    {"abs", 1, 1, abs_of},        {"ceil", 1, 1, ceil_of},        {"floor", 1, 1, floor_of},
    {"log", 2, 2, log_of},        {"max", 1, kAnyNumber, max_of}, {"min", 1, kAnyNumber, min_of},
    {"parseint", 2, 2, parseint}, {"pow", 2, 2, pow_of},          {"signum", 1, 1, signum},
    {"sum", 1, 1, sum},
};

}  // namespace

std::span<const Function> numeric_functions() { return kNumericFunctions; }

}  // namespace securebase::stack
