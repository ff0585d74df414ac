// Type constraints of variables, as `object({ name = string, ttl = optional(number, 60) })`, and conversion to them.
// Constant once made; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "stack/diagnostic.h"
#include "stack/syntax/ast.h"
#include "stack/value.h"

namespace securebase::stack {

struct Type {
  enum class Kind { kAny, kBool, kNumber, kString, kList, kSet, kMap, kTuple, kObject };
  struct Attribute;

  Kind kind = Kind::kAny;
  std::shared_ptr<const Type> element;  // of list, set, map
  std::vector<Type> elements;           // of tuple
  std::map<std::string, Attribute> attributes;

  static std::optional<Type> parse(const Expression& expression, Diagnostics& diagnostics);
  std::string text() const;
  // The error says what is required and where in the value: `attribute "ttl": number required`.
  Result<Value, std::string> convert(const Value& value) const;
};

struct Type::Attribute {
  Type type;
  bool optional = false;
  Value fallback;  // for an optional one that is null or not there
};

// Mixed primitives become strings, as Terraform makes one element type of them.
void unify(Value::List& elements);
// As the two arms of a condition: `chosen` as it is when its type is unified with that of `other`.
Value unified_with(const Value& chosen, const Value& other);

}  // namespace securebase::stack
