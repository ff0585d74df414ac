// Expressions that see nothing of a stack: constants, literals, and templates with their own variables.
#include <fmt/format.h>

#include "stack/evaluate/evaluator.h"

namespace securebase::stack {

namespace {

// A scope in which only the given names stand for something.
class ClosedScope final : public Scope {
 public:
  enum class Calls { kAllowed, kNone };
  ClosedScope(const Value::Map* names, const FunctionContext& functions, std::string_view where,
              Calls calls = Calls::kAllowed)
      : names_(names), functions_(functions), where_(where), calls_(calls) {}

  std::optional<Value> resolve(const Reference& reference, std::size_t& consumed, Diagnostics& diagnostics) override {
    consumed = 0;
    if (names_) {
      if (const auto found = names_->find(reference.root); found != names_->end()) return found->second;
    }
    auto& error = diagnostics.error(names_ ? "Invalid value for variable" : "Variables not allowed",
                                    names_ ? fmt::format("There is no template variable named \"{}\".", reference.root)
                                           : fmt::format("Variables may not be used {}.", where_),
                                    reference.range);
    std::vector<std::string> known;
    if (names_) {
      for (const auto& [name, value] : *names_) known.push_back(name);
    }
    error.suggestion = closest(reference.root, known);
    return std::nullopt;
  }
  const FunctionContext& functions() const override { return functions_; }
  bool has_functions() const override { return calls_ == Calls::kAllowed; }

 private:
  const Value::Map* names_;
  const FunctionContext& functions_;
  std::string_view where_;
  const Calls calls_;
};

}  // namespace

std::optional<Value> evaluate_constant(const Expression& expression, Diagnostics& diagnostics) {
  static const FunctionContext kNoFiles;
  ClosedScope scope(nullptr, kNoFiles, "here: a constant is needed");
  return Evaluator(scope, diagnostics).evaluate(expression);
}

std::optional<Value> evaluate_literal(const Expression& expression, Diagnostics& diagnostics) {
  static const FunctionContext kNoFiles;
  ClosedScope scope(nullptr, kNoFiles, "here", ClosedScope::Calls::kNone);
  return Evaluator(scope, diagnostics).evaluate(expression);
}

std::optional<Value> evaluate_template(const Expression& expression, const Value::Map& variables,
                                       const FunctionContext& functions, Diagnostics& diagnostics) {
  ClosedScope scope(&variables, functions, "");
  return Evaluator(scope, diagnostics).evaluate(expression);
}

}  // namespace securebase::stack
