#include <fmt/format.h>

#include <cmath>

#include "stack/evaluate/evaluator.h"

namespace securebase::stack {

namespace {

std::optional<Value> compare_numbers(Operator operation, Value::Number a, Value::Number b) {
  switch (operation) {
    case Operator::kLess:
      return Value(a < b);
    case Operator::kLessOrEqual:
      return Value(a <= b);
    case Operator::kGreater:
      return Value(a > b);
    default:
      return Value(a >= b);
  }
}

std::optional<Value> calculate(Operator operation, Value::Number a, Value::Number b, std::string& error) {
  switch (operation) {
    case Operator::kAdd:
      return Value(a + b);
    case Operator::kSubtract:
      return Value(a - b);
    case Operator::kMultiply:
      return Value(a * b);
    case Operator::kDivide:
      if (b == 0) break;
      return Value(a / b);
    default:
      if (b == 0) break;
      return Value(std::fmod(a, b));
  }
  error = "Division by zero.";
  return std::nullopt;
}

}  // namespace

std::optional<Value> apply_binary(Operator operation, const Value& left, const Value& right, std::string& error) {
  const bool sensitive = left.contains_sensitive() || right.contains_sensitive();
  std::optional<Value> made;
  if (operation == Operator::kEqual || operation == Operator::kNotEqual) {
    made = Value((left == right) == (operation == Operator::kEqual));
  } else if (operation == Operator::kAnd || operation == Operator::kOr) {
    const auto a = left.to_bool();
    const auto b = right.to_bool();
    if (!a || !b) {
      error = "A bool is required on both sides of a logical operator.";
      return std::nullopt;
    }
    made = Value(operation == Operator::kAnd ? *a && *b : *a || *b);
  } else {
    const auto a = left.to_number();
    const auto b = right.to_number();
    if (!a || !b) {
      error = fmt::format("A number is required on both sides; the {} is {}.", a ? "right one" : "left one",
                          a ? (right.is_null() ? "null" : fmt::format("a {}", to_string(right.kind())))
                            : (left.is_null() ? "null" : fmt::format("a {}", to_string(left.kind()))));
      return std::nullopt;
    }
    const bool compares = operation >= Operator::kLess && operation <= Operator::kGreaterOrEqual;
    made = compares ? compare_numbers(operation, *a, *b) : calculate(operation, *a, *b, error);
    if (!made) return std::nullopt;
  }
  return made->marked(sensitive);
}

}  // namespace securebase::stack
