// The syntax of metric math: an expression as a tree. Foreign text, so bounded: length and depth are limited, and the
// same text gives the same tree or the same error with the position (from 0, in bytes) at which it stops making sense.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::monitoring::math {

enum class Operator {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr
};

struct Node {
  enum class Kind { kNumber, kText, kName, kNegate, kBinary, kCall, kList };
  Kind kind = Kind::kNumber;
  std::size_t position = 0;
  double number = 0;
  std::string text;  // of a string, a name (an id, or a word such as REPEAT), a called function
  Operator op{};
  std::vector<std::size_t> children;  // places in Expression::nodes, all before this node's
};

struct Expression {
  std::vector<Node> nodes;  // the last is the root
  const Node& root() const { return nodes.back(); }
  const Node& child(const Node& node, std::size_t i) const { return nodes[node.children[i]]; }
};

struct ParseLimits {
  std::size_t bytes = 2048;  // CloudWatch's own (MetricExpression)
  std::size_t depth = 64;    // of parentheses and calls, so that evaluation does not run out of stack
};

// kMalformed: "position 7: expected a value, got ')'".
Result<Expression> parse(std::string_view text, const ParseLimits& limits = {});

}  // namespace securebase::monitoring::math
