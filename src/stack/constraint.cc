#include "stack/constraint.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/check.h"

namespace securebase::stack {

std::string OneOf::text() const { return fmt::format("one of {}", fmt::join(words, ", ")); }

bool OneOf::holds(const std::string& value) const {
  return std::find(words.begin(), words.end(), value) != words.end();
}

OneOf one_of(std::initializer_list<std::string_view> words) {
  OneOf made;
  for (const auto word : words) made.words.emplace_back(word);
  return made;
}

bool Matches::holds(const std::string& value) const { return RE2::FullMatch(value, RE2(expression)); }

Matches matches(std::string expression) {
  check(RE2(expression).ok(), "the expression of a declaration is valid");
  return {std::move(expression)};
}

}  // namespace securebase::stack
