// From the tree of an expression to nodes, in a scope.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "logs/insights/node.h"
#include "logs/insights/scope.h"
#include "logs/insights/source.h"

namespace securebase::logs::insights {

class Compiler {
 public:
  // Plans a subquery and gives the set that will hold its values.
  using Subqueries = std::function<Parsed<std::shared_ptr<const ValueSet>>(const Query&)>;

  Compiler(std::string_view text, double now_seconds, Subqueries subqueries)
      : text_(text), now_seconds_(now_seconds), subqueries_(std::move(subqueries)) {}

  Parsed<NodePtr> compile(const Expression& expression, Scope& scope);
  // What the source may leave out because this condition will not take it; `scope` is the open one it was compiled in.
  static void add_hints(const Expression& condition, Scope& scope, Scan& hints);

  Malformed wrong(Place place, std::string message) const { return malformed(text_, place, std::move(message)); }

 private:
  Parsed<NodePtr> field(const Expression& expression, Scope& scope);
  Parsed<NodePtr> call(const Expression& expression, Scope& scope);
  Parsed<NodePtr> binary(const Expression& expression, Scope& scope);
  Parsed<NodePtr> in(const Expression& expression, Scope& scope);

  const std::string_view text_;
  const double now_seconds_;
  const Subqueries subqueries_;
};

}  // namespace securebase::logs::insights
