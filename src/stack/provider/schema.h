// The names that the real providers know: wider than what any room honours, so that a misspelling can be told from a
// correct setting that has no effect here. Constant; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::stack {

struct ProviderBlock {
  enum class Type { kString, kNumber, kBool, kList, kMap, kAny };
  struct Attribute {
    Type type = Type::kAny;
    bool required = false;
    bool computed = false;  // the provider gives it a value when the configuration does not
  };

  std::map<std::string, Attribute, std::less<>> attributes;
  std::map<std::string, ProviderBlock, std::less<>> blocks;

  std::vector<std::string> names() const;  // of attributes and blocks
};

}  // namespace securebase::stack
