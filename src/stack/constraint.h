// The ranges that declarations give to attributes. Each says itself in words (for errors and docs) and tells of a
// value whether it is inside; optionals are looked into, and of lists every element counts.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace securebase::stack {

template <class T>
std::string limit_text(const T& limit) {
  if constexpr (requires { typename T::period; }) {
    return fmt::format("{}", std::chrono::duration<double>(limit).count()) + " s";
  } else {
    return fmt::format("{}", limit);
  }
}

struct Any {
  std::string text() const { return ""; }
  template <class T>
  bool holds(const T&) const {
    return true;
  }
};
inline Any any() { return {}; }

template <class L>
struct AtLeast {
  L limit;
  std::string text() const { return "at least " + limit_text(limit); }
  template <class T>
    requires requires(const T& value, const L& bound) { value < bound; }
  bool holds(const T& value) const {
    return !(value < static_cast<std::common_type_t<T, L>>(limit));
  }
};
template <class L>
AtLeast<L> at_least(L limit) {
  return {limit};
}

template <class L>
struct AtMost {
  L limit;
  std::string text() const { return "at most " + limit_text(limit); }
  template <class T>
    requires requires(const T& value, const L& bound) { value < bound; }
  bool holds(const T& value) const {
    return !(static_cast<std::common_type_t<T, L>>(limit) < value);
  }
};
template <class L>
AtMost<L> at_most(L limit) {
  return {limit};
}

template <class L, class H>
struct Between {
  L low;
  H high;
  std::string text() const { return limit_text(low) + " to " + limit_text(high); }
  template <class T>
    requires requires(const T& value, const L& a, const H& b) { value < a, value < b; }
  bool holds(const T& value) const {
    return AtLeast<L>{low}.holds(value) && AtMost<H>{high}.holds(value);
  }
};
template <class L, class H>
Between<L, H> between(L low, H high) {
  return {low, high};
}

struct OneOf {
  std::vector<std::string> words;
  std::string text() const;
  bool holds(const std::string& value) const;
};
OneOf one_of(std::initializer_list<std::string_view> words);

// The words of an enumeration.
template <class E>
struct Names {
  std::vector<std::pair<std::string, E>> names;
  std::string text() const {
    OneOf words;
    for (const auto& [name, value] : names) words.words.push_back(name);
    return words.text();
  }
  bool holds(const E&) const { return true; }
};
template <class E>
Names<E> one_of(std::initializer_list<std::pair<std::string_view, std::type_identity_t<E>>> names) {
  Names<E> made;
  for (const auto& [name, value] : names) made.names.emplace_back(std::string(name), value);
  return made;
}

// The whole text follows the RE2 expression.
struct Matches {
  std::string expression;
  std::string text() const { return "matches " + expression; }
  bool holds(const std::string& value) const;
};
Matches matches(std::string expression);

struct Length {
  std::size_t low;
  std::size_t high;
  std::string text() const { return fmt::format("{} to {} characters", low, high); }
  bool holds(const std::string& value) const { return value.size() >= low && value.size() <= high; }
};
inline Length length(std::size_t low, std::size_t high) { return {low, high}; }

}  // namespace securebase::stack
