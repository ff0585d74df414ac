// What count, for_each and dynamic make several of.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "stack/body.h"
#include "stack/evaluate/evaluator.h"
#include "stack/syntax/ast.h"

namespace securebase::stack {

// One of the resources or modules that a block stands for.
struct Instance {
  Value key;         // null, a number (count) or a string (for_each)
  Value each_value;  // for_each only

  std::string address_part() const;  // "", [0] or ["a"]
};

struct Expansion {
  enum class Mode { kSingle, kCount, kForEach };
  Mode mode = Mode::kSingle;
  std::vector<Instance> instances;
};

// By the block's count or for_each. nullopt: reported.
std::optional<Expansion> expand(const BodySyntax& body, Evaluator& evaluator, Diagnostics& diagnostics);

// The body with values for expressions. `skipped` are the attributes and blocks that are not the resource's own.
// nullopt: reported.
std::optional<Body> evaluate_body(const BodySyntax& syntax, const SourceRange& header, Evaluator& evaluator,
                                  Diagnostics& diagnostics, const std::set<std::string_view>& skipped = {});

}  // namespace securebase::stack
