// The names that the real providers know: wider than what any room honours, so that a misspelling can be told from a
// correct setting that has no effect here. Read from the two lists beside this file, which are part of the program;
// tools/provider_names.py tells their form. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stack/declaration.h"

namespace securebase::stack {

struct ProviderBlock {
  enum class Type { kString, kNumber, kBool, kList, kMap, kAny };
  struct Attribute {
    Type type = Type::kAny;
    bool computed = false;  // only the provider sets it
    bool filled = false;    // the provider fills it when it is not written
  };

  std::map<std::string, Attribute, std::less<>> attributes;
  std::map<std::string, ProviderBlock, std::less<>> blocks;
  bool computed = false;  // a block that only the provider sets
  bool open = false;      // its content is not listed: every name is accepted

  std::vector<std::string> names() const;  // of attributes and blocks
  bool knows(std::string_view name) const { return open || attributes.contains(name) || blocks.contains(name); }
};

// Null: there is no such type. Valid for the life of the program.
const ProviderBlock* provider_type(Declaration::Mode mode, std::string_view type);
std::vector<std::string> provider_types(Declaration::Mode mode);
// Whether the types of the provider that `type` belongs to (aws_..., random_...) are listed at all.
bool provider_of(std::string_view type);

}  // namespace securebase::stack
