// Conditions on JSON messages.
#include <algorithm>

#include "logs/patterns/node.h"

namespace securebase::logs {

namespace {

using base::Json;

constexpr std::size_t kMostFound = 10'000;  // values through [*]

void follow(const Json& value, const Selector& selector, std::size_t step, std::vector<const Json*>& into) {
  if (into.size() >= kMostFound) return;
  if (step == selector.steps.size()) {
    into.push_back(&value);
    return;
  }
  const auto& next = selector.steps[step];
  if (next.any) {
    if (const auto* elements = value.as_array()) {
      for (const auto& element : *elements) follow(element, selector, step + 1, into);
    } else if (const auto* members = value.as_object()) {
      for (const auto& [name, member] : *members) follow(member, selector, step + 1, into);
    }
  } else if (next.index) {
    const auto* elements = value.as_array();
    if (elements && *next.index < elements->size()) follow((*elements)[*next.index], selector, step + 1, into);
  } else if (const auto* member = value.find(next.member)) {
    follow(*member, selector, step + 1, into);
  }
}

bool holds_of(const Condition& condition, const Json& value) {
  switch (condition.comparison) {
    case Comparison::kIsNull:
      return value.is_null();
    case Comparison::kIsTrue:
      return value.is_bool() && value.bool_or(false);
    case Comparison::kIsFalse:
      return value.is_bool() && !value.bool_or(true);
    default:
      break;
  }
  if (value.is_null() || value.is_object() || value.is_array()) return false;
  return compare(condition.comparison, condition.matcher, json_text(value),
                 value.is_number() ? std::optional(value.number_or(0)) : std::nullopt);
}

}  // namespace

void find_values(const Json& root, const Selector& selector, std::vector<const Json*>& into) {
  follow(root, selector, 0, into);
}

std::string json_text(const Json& value) {
  if (const auto* text = value.as_string()) return *text;
  return value.dump();
}

bool matches_json(const Condition& condition, const Json& root) {
  switch (condition.kind) {
    case Condition::Kind::kAnd:
      return std::all_of(condition.of.begin(), condition.of.end(),
                         [&](const auto& one) { return matches_json(one, root); });
    case Condition::Kind::kOr:
      return std::any_of(condition.of.begin(), condition.of.end(),
                         [&](const auto& one) { return matches_json(one, root); });
    case Condition::Kind::kCompare:
      break;
  }
  std::vector<const Json*> found;
  find_values(root, condition.selector, found);
  if (condition.comparison == Comparison::kExists) return !found.empty();
  if (condition.comparison == Comparison::kNotExists) return found.empty();
  return std::any_of(found.begin(), found.end(), [&](const Json* value) { return holds_of(condition, *value); });
}

}  // namespace securebase::logs
