// JSON as Terraform writes it: no spaces, keys sorted, and <, > and & escaped as Go's encoder does.
#pragma once

#include <string>
#include <string_view>

#include "stack/value.h"

namespace securebase::stack {

std::string json_encode(const Value& value);
std::string json_text(std::string_view text);  // one string, with its quotes

}  // namespace securebase::stack
