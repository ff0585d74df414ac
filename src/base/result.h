// What can happen to a healthy program is a value: Result<T, E> holds a T or the reason why there is none.
// It has the shape of std::expected, so that it can become it when every compiler we use has that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace securebase {

enum class Errc {
  kMalformed,    // bytes or words that do not follow their grammar
  kNotFound,     // no such thing
  kDenied,       // it exists, and the caller may not
  kConflict,     // it exists already, or changed meanwhile
  kLimit,        // a stated limit was reached
  kTimeout,      // the deadline passed
  kCancelled,    // whoever asked no longer wants it
  kClosed,       // the peer ended the conversation
  kUnavailable,  // cannot be had now; may be tried again
  kIo,           // the operating system refused
  kUnsupported,  // understood, and not done here
};

std::string_view to_string(Errc code);

// A message says what was expected, what came, and what to do next.
struct [[nodiscard]] Error {
  Errc code;
  std::string message;

  // "while reading X: <message>", the same code.
  Error within(std::string_view circumstance) const;
};

// Error for a failed system call: names the call, the thing it was about, and strerror(number).
Error system_error(int number, std::string_view call, std::string_view subject);

// Success without a value.
struct Done {};

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design
  template <class U>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, T> && !std::is_same_v<std::remove_cvref_t<U>, E>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    check(has_value(), "value() of a Result that holds an error");
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    check(has_value(), "value() of a Result that holds an error");
    return *std::get_if<0>(&state_);
  }
  // By value: `for (auto& x : *list())` then iterates over something that lives (C++20 would let a reference dangle).
  T value() && {
    check(has_value(), "value() of a Result that holds an error");
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & {
    check(!has_value(), "error() of a Result that holds a value");
    return *std::get_if<1>(&state_);
  }
  const E& error() const& {
    check(!has_value(), "error() of a Result that holds a value");
    return *std::get_if<1>(&state_);
  }
  E error() && {
    check(!has_value(), "error() of a Result that holds a value");
    return std::move(*std::get_if<1>(&state_));
  }

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(other));
  }

 private:
  std::variant<T, E> state_;
};

}  // namespace securebase
