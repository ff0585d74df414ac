// Data sources and resources that the reader itself knows, since they are about values rather than services:
// documents, archives, identities, random names.
#pragma once

#include <optional>
#include <string_view>

#include "stack/functions/function.h"
#include "stack/stack.h"

namespace securebase::stack {

struct BuiltinCall {
  const Resource& resource;
  const Context& context;
  const FunctionContext& functions;
  Diagnostics& diagnostics;

  std::nullopt_t fail(std::string summary, std::string detail) const;
};

// Computed attributes. nullopt: reported.
using Builtin = std::optional<Value::Map> (*)(const BuiltinCall& call);
Builtin find_builtin(Declaration::Mode mode, std::string_view type);  // null: there is none

// The chapters.
std::optional<Value::Map> archive_file(const BuiltinCall& call);
std::optional<Value::Map> iam_policy_document(const BuiltinCall& call);
std::optional<Value::Map> external(const BuiltinCall& call);
std::optional<Value::Map> local_file(const BuiltinCall& call);
Builtin find_identity(std::string_view type);
Builtin find_random(std::string_view type);

}  // namespace securebase::stack
