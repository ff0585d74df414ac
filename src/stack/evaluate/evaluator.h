// Expressions to values. What a name stands for comes in through `Scope`; what is bound inside an expression (by `for`,
// splats and dynamic blocks) through `Bindings`. An error is reported once, where it arises, and gives nullopt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "stack/diagnostic.h"
#include "stack/functions/function.h"
#include "stack/syntax/ast.h"
#include "stack/value.h"

namespace securebase::stack {

// Names bound around an expression, innermost first. The values outlive the evaluation.
struct Bindings {
  std::string_view name;
  const Value* value = nullptr;
  const Bindings* outer = nullptr;

  static const Value* find(const Bindings* innermost, std::string_view name);
};

class Scope {
 public:
  virtual ~Scope() = default;
  // The value of the first `consumed` steps of a reference: var.a of var.a.b has one. nullopt: reported.
  virtual std::optional<Value> resolve(const Reference& reference, std::size_t& consumed, Diagnostics& diagnostics) = 0;
  virtual const FunctionContext& functions() const = 0;
  virtual bool has_functions() const { return true; }
  // A member that an open object does not have was read; told of those whose names are known but for the newest.
  virtual void read_unlisted(const Value::Open&, std::string_view /*name*/, const SourceRange&) {}
};

class Evaluator {
 public:
  Evaluator(Scope& scope, Diagnostics& diagnostics) : scope_(scope), diagnostics_(diagnostics) {}

  std::optional<Value> evaluate(const Expression& expression, const Bindings* bindings = nullptr);

 private:
  std::optional<Value> node(const Literal& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Template& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Tuple& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const ObjectLiteral& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Variable& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const GetAttribute& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Index& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Splat& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const SplatElement& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Call& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Conditional& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Unary& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const Binary& node, const Expression& whole, const Bindings* bindings);
  std::optional<Value> node(const ForExpression& node, const Expression& whole, const Bindings* bindings);

  std::optional<Value> reference(const Expression& whole, const Bindings* bindings);
  std::optional<Value> attribute_of(const Value& object, const std::string& name, const SourceRange& range);
  std::optional<Value> element_of(const Value& object, const Value& key, const SourceRange& range);
  bool is_kept_outside(const Value& object, const std::string& name, const SourceRange& range);
  std::optional<Value> beyond(const Value& object, const std::string& name, std::string_view written,
                              const SourceRange& range);
  std::optional<Value> unknown_function(const Call& call);
  std::optional<Value> converted(const Call& call, const Expression& whole, const Bindings* bindings);
  std::optional<Value> first_that_succeeds(const Call& call, const Expression& whole, const Bindings* bindings);
  bool append_template(const Template& parts, const SourceRange& range, const Bindings* bindings, std::string& out,
                       bool& sensitive);
  bool append_part(const Value& value, const SourceRange& range, std::string& out, bool& sensitive);
  std::optional<bool> truth(const Expression& expression, const Bindings* bindings, bool& sensitive);
  // Calls visit(key, value) for each element; false when the collection is none (reported) or visit says stop.
  template <class Visit>
  bool each_element(const Value& collection, const SourceRange& range, Visit visit);
  std::optional<Value> fail(std::string summary, std::string detail, const SourceRange& range);

  Scope& scope_;
  Diagnostics& diagnostics_;
};

// An expression in which no names may occur.
std::optional<Value> evaluate_constant(const Expression& expression, Diagnostics& diagnostics);
// The same without calls of functions, for texts that a function reads: what they hold cannot read further ones.
std::optional<Value> evaluate_literal(const Expression& expression, Diagnostics& diagnostics);
// A template with these variables, as templatefile() evaluates it.
std::optional<Value> evaluate_template(const Expression& expression, const Value::Map& variables,
                                       const FunctionContext& functions, Diagnostics& diagnostics);

std::optional<Value> apply_binary(Operator operation, const Value& left, const Value& right, std::string& error);

}  // namespace securebase::stack
