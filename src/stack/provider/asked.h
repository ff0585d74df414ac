// What data sources read that is in no file: the value of a secret, the answer of a function. Nothing may be made up
// for it, since a made-up password or setting works silently and wrongly; so such an attribute is not there, and
// whoever reads it is told why. And the arguments by which a data source says which object it means. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stack/declaration.h"
#include "stack/stack.h"
#include "stack/value.h"

namespace securebase::stack {

// Whether the attribute at the top of an object of the type is such a one; `name` is what the object's own name is,
// since the public parameters that name machine images can be made up.
bool is_asked_outside(Declaration::Mode mode, std::string_view type, std::string_view attribute, std::string_view name);
// What to say to whoever reads it.
std::string asked_outside(std::string_view type, std::string_view attribute);

// An argument of a data source that says which object is meant, and the attribute of the object that it is compared
// with.
struct KeyArgument {
  std::string_view argument;
  std::string_view attribute;
};
std::vector<KeyArgument> key_arguments(std::string_view type);

// The resource of the stack that the data source means, among those read before it; null: none.
const Resource* meant_by(const Resource& data, const std::vector<Resource>& resources);
// What the data source has as `attribute`, where the resource is the one that it means.
Value attribute_for(const Resource& data, std::string_view attribute, const Resource& resource);

}  // namespace securebase::stack
