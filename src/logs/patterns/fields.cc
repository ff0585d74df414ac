// Messages of fields between spaces.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "logs/patterns/node.h"

namespace securebase::logs {

namespace {

constexpr std::size_t kMostMessageFields = 10'000;

std::optional<double> number_of_field(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

// The value of the field of that name, among those that were matched.
bool holds(const Condition& condition, const Fields& pattern, const std::vector<std::string_view>& values) {
  switch (condition.kind) {
    case Condition::Kind::kAnd:
      return std::all_of(condition.of.begin(), condition.of.end(),
                         [&](const auto& one) { return holds(one, pattern, values); });
    case Condition::Kind::kOr:
      return std::any_of(condition.of.begin(), condition.of.end(),
                         [&](const auto& one) { return holds(one, pattern, values); });
    case Condition::Kind::kCompare:
      break;
  }
  for (std::size_t i = 0; i < pattern.fields.size(); ++i) {
    if (pattern.fields[i].name == condition.field) {
      return compare(condition.comparison, condition.matcher, values[i], number_of_field(values[i]));
    }
  }
  return false;
}

}  // namespace

std::vector<std::string_view> cut_fields(std::string_view message) {
  std::vector<std::string_view> fields;
  std::size_t at = 0;
  while (at < message.size() && fields.size() < kMostMessageFields) {
    const char c = message[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at;
      continue;
    }
    const char close = c == '"' ? '"' : c == '[' ? ']' : '\0';
    if (close != '\0') {
      if (const auto end = message.find(close, at + 1); end != std::string_view::npos) {
        fields.push_back(message.substr(at + 1, end - at - 1));
        at = end + 1;
        continue;
      }
    }
    const auto end = std::min(message.find_first_of(" \t\n\r", at), message.size());
    fields.push_back(message.substr(at, end - at));
    at = end;
  }
  return fields;
}

std::optional<std::vector<std::string_view>> match_fields(const Fields& pattern, std::string_view message) {
  const auto found = cut_fields(message);
  const auto& specs = pattern.fields;
  const auto ellipsis = static_cast<std::size_t>(
      std::find_if(specs.begin(), specs.end(), [](const auto& one) { return one.ellipsis; }) - specs.begin());
  std::vector<std::string_view> values(specs.size());
  if (ellipsis == specs.size()) {
    if (found.size() != specs.size()) return std::nullopt;
    values = found;
  } else {
    const auto after = specs.size() - ellipsis - 1;
    if (found.size() < ellipsis + after) return std::nullopt;
    std::copy_n(found.begin(), ellipsis, values.begin());
    std::copy_n(found.end() - static_cast<std::ptrdiff_t>(after), after,
                values.begin() + static_cast<std::ptrdiff_t>(ellipsis) + 1);
  }
  for (const auto& spec : specs) {
    if (spec.condition && !holds(*spec.condition, pattern, values)) return std::nullopt;
  }
  return values;
}

bool matches_fields(const Fields& pattern, std::string_view message) {
  return match_fields(pattern, message).has_value();
}

}  // namespace securebase::logs
