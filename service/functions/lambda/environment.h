// Settings from the environment, which Terraform's `environment` block fills.
#pragma once

#include <string>

#include "base/result.h"

namespace securebase::lambda {

// kNotFound, naming the variable, when it is not set or empty.
Result<std::string> required_variable(const char* name);
std::string variable_or(const char* name, const std::string& fallback);
Result<std::uint16_t> port_variable_or(const char* name, std::uint16_t fallback);

}  // namespace securebase::lambda
