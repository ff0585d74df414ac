// YAML 1.2 for yamlencode() and yamldecode(): the JSON schema of values, no tags of one's own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "stack/value.h"

namespace securebase::stack {

std::string yaml_encode(const Value& value);
Result<Value> yaml_decode(const std::string& text);

}  // namespace securebase::stack
