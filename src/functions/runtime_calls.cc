#include "functions/runtime_calls.h"

#include <algorithm>
#include <charconv>

namespace securebase::functions {

namespace {

// "2;1234567"
bool read_sum(std::string_view text, RuntimeCalls::Sum& sum) {
  std::int64_t nanoseconds = 0;
  const char* const end = text.data() + text.size();
  const auto [after, failure] = std::from_chars(text.data(), end, sum.count);
  if (failure != std::errc{} || after == end || *after != ';') return false;
  const auto [last, wrong] = std::from_chars(after + 1, end, nanoseconds);
  if (wrong != std::errc{} || last != end || nanoseconds < 0) return false;
  sum.time = std::chrono::nanoseconds{nanoseconds};
  return true;
}

}  // namespace

RuntimeCalls parse_runtime_calls(std::string_view field) {
  RuntimeCalls calls;
  while (!field.empty()) {
    const auto comma = std::min(field.find(','), field.size());
    auto one = field.substr(0, comma);
    field.remove_prefix(std::min(comma + 1, field.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos) return {};
    RuntimeCalls::Sum sum;
    if (!read_sum(one.substr(equals + 1), sum)) return {};
    if (one.substr(0, equals) == "sql") calls.sql = sum;
    if (one.substr(0, equals) == "cache") calls.cache = sum;
  }
  return calls;
}

}  // namespace securebase::functions
