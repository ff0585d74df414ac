// YAML documents as JSON values, for OpenAPI bodies written in YAML (YAML 1.2, core schema).
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace securebase::gateway {

// JSON is YAML, too. Limits: 100,000 nodes after aliases, 100 levels.
Result<base::Json> parse_yaml(std::string_view text);

}  // namespace securebase::gateway
