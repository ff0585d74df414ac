// The HCL native syntax as a tree, each node with the place it came from. Constant once parsed, shared, any thread.
// https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/value.h"

namespace securebase::stack {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Literal {
  Value value;
};

// "a ${b} %{if c}d%{endif}": text, expressions and directives. One interpolation and nothing else gives the value
// itself, not its text.
struct Template {
  struct If;
  struct For;
  using Part = std::variant<std::string, ExpressionPtr, std::shared_ptr<const If>, std::shared_ptr<const For>>;
  std::vector<Part> parts;
};
struct Template::If {
  ExpressionPtr condition;
  Template then;
  Template otherwise;
};
struct Template::For {
  std::string key;  // "" when only the value has a name
  std::string value;
  ExpressionPtr collection;
  Template body;
};

struct Tuple {
  std::vector<ExpressionPtr> elements;
};
struct ObjectLiteral {
  struct Item {
    ExpressionPtr key;
    ExpressionPtr value;
  };
  std::vector<Item> items;
};

struct Variable {  // the first name of a reference
  std::string name;
};
struct GetAttribute {
  ExpressionPtr object;
  std::string name;
  SourceRange name_range;
};
struct Index {
  ExpressionPtr object;
  ExpressionPtr key;
};
// source.*.each or source[*].each: `each` is evaluated with every element of source in the place of SplatElement.
struct Splat {
  ExpressionPtr source;
  ExpressionPtr each;
};
struct SplatElement {};

struct Call {
  std::string name;
  SourceRange name_range;
  std::vector<ExpressionPtr> arguments;
  bool expands_last = false;  // f(list...)
};

struct Conditional {
  ExpressionPtr condition;
  ExpressionPtr then;
  ExpressionPtr otherwise;
};

enum class Operator {
  kOr,
  kAnd,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kNot
};
struct Unary {
  Operator operation;
  ExpressionPtr operand;
};
struct Binary {
  Operator operation;
  ExpressionPtr left;
  ExpressionPtr right;
};

// [for key, value in collection : result if condition] or {for ... : result_key => result ...}
struct ForExpression {
  std::string key;
  std::string value;
  ExpressionPtr collection;
  ExpressionPtr result_key;  // null: a tuple
  ExpressionPtr result;
  ExpressionPtr condition;  // may be null
  bool groups = false;
};

struct Expression {
  using Node = std::variant<Literal, Template, Tuple, ObjectLiteral, Variable, GetAttribute, Index, Splat, SplatElement,
                            Call, Conditional, Unary, Binary, ForExpression>;
  SourceRange range;
  Node node;
  unsigned depth = 1;  // of the tree below: bounded, so that recursion over it is safe

  template <class T>
  const T* as() const {
    return std::get_if<T>(&node);
  }
};

struct BlockSyntax;

struct BodySyntax {
  struct Attribute {
    std::string name;
    SourceRange name_range;
    ExpressionPtr value;
  };
  std::vector<Attribute> attributes;
  std::vector<BlockSyntax> blocks;
  SourceRange range;
  bool from_json = false;

  const Attribute* attribute(std::string_view name) const;
  ExpressionPtr value(std::string_view name) const;  // null when there is none
  const BlockSyntax* block(std::string_view type) const;
};

struct BlockSyntax {
  std::string type;
  std::vector<std::string> labels;
  SourceRange range;  // of the header: type and labels
  std::vector<SourceRange> label_ranges;
  BodySyntax body;
};

// A reference as it is written: var.customers["a"].name is `var` and the steps customers, "a", name; it ends where
// something is only known when it runs.
struct Reference {
  struct Step {
    Value key;  // a string for .name and ["name"], a number for [0] and .0
    SourceRange range;
    bool is_attribute = false;  // written with a dot
  };
  std::string root;
  std::vector<Step> steps;
  SourceRange range;

  std::string text() const;
};

// The expression as one reference with nothing else around it; root "" when it is none.
Reference as_reference(const Expression& expression);
// All references to names that the expression does not define itself (as `for` does), in the order of their places.
void collect_references(const Expression& expression, std::vector<Reference>& references);
void collect_references(const BodySyntax& body, std::vector<Reference>& references);

}  // namespace securebase::stack
