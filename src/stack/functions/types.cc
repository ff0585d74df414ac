#include <fmt/format.h>

#include "stack/functions/function.h"
#include "stack/type.h"

namespace securebase::stack {

namespace {

using Marks = Function::Marks;

Value converted(Arguments& a, Type::Kind kind) {
  Type type;
  type.kind = kind;
  type.element = std::make_shared<const Type>();
  auto made = type.convert(a[0]);
  if (!made) return a.fail(0, fmt::format("cannot convert to {}: {}", type.text(), made.error()));
  return std::move(*made);
}

Value tobool(Arguments& a) { return converted(a, Type::Kind::kBool); }
Value tonumber(Arguments& a) { return converted(a, Type::Kind::kNumber); }
Value tostring(Arguments& a) { return converted(a, Type::Kind::kString); }
Value tolist(Arguments& a) { return converted(a, Type::Kind::kList); }
Value toset(Arguments& a) { return converted(a, Type::Kind::kSet); }
Value tomap(Arguments& a) { return converted(a, Type::Kind::kMap); }

Value sensitive(Arguments& a) { return a[0].marked(); }
Value nonsensitive(Arguments& a) { return a[0].marked(false); }
Value issensitive(Arguments& a) { return a[0].sensitive(); }
Value ephemeralasnull(Arguments& a) { return a[0]; }  // no value here is ephemeral

Value defaults(Arguments& a) {
  return a.fail("the experimental function was removed in Terraform 1.3: use optional(type, default)");
}

constexpr Function kTypesFunctions[] = {
    {"defaults", 2, 2, defaults},
    {"ephemeralasnull", 1, 1, ephemeralasnull, Marks::kOwn},
    {"issensitive", 1, 1, issensitive, Marks::kOwn},
    {"nonsensitive", 1, 1, nonsensitive, Marks::kOwn},
    {"sensitive", 1, 1, sensitive, Marks::kOwn},
    {"tobool", 1, 1, tobool},
    {"tolist", 1, 1, tolist},
    {"tomap", 1, 1, tomap},
    {"tonumber", 1, 1, tonumber},
    {"toset", 1, 1, toset},
    {"tostring", 1, 1, tostring},
};

}  // namespace

std::span<const Function> type_functions() { return kTypesFunctions; }

}  // namespace securebase::stack
