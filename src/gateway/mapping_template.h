// The part of API Gateway's mapping templates (Velocity) that MOCK integrations need: text, #set of nothing, #if, #else
// and #end over comparisons, and references to $context, $input.params(), $stageVariables. Anything else is refused
// when the stack is read, with what is understood; docs/gateway.md lists it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/call.h"

namespace securebase::gateway {

class MappingTemplate {
 public:
  static constexpr std::size_t kBytes = 300 << 10;  // API Gateway's own limit
  static constexpr int kNesting = 32;

  static Result<MappingTemplate> parse(std::string_view text);
  // What is not defined is empty, as with Velocity's quiet references.
  std::string render(const Call& call) const;

 private:
  struct Reference {
    enum class From { kContext, kParam, kStageVariable, kLiteral };
    From from = From::kLiteral;
    std::string name;  // or the literal
    std::string value(const Call& call) const;
  };
  struct Node {
    enum class Kind { kText, kReference, kIf };
    Kind kind = Kind::kText;
    std::string text;
    Reference reference;
    // kIf
    Reference left, right;
    bool equal = true;      // else: differ
    bool compared = false;  // no: is it set?
    std::vector<Node> then, otherwise;
  };
  class Parser;
  static void render_into(std::string& out, const std::vector<Node>& nodes, const Call& call);

  std::vector<Node> nodes_;
};

}  // namespace securebase::gateway
