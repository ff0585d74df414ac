// OpenAPI 2 and 3 with API Gateway's extensions (Developer Guide, "x-amazon-apigateway extensions to OpenAPI").
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "gateway/config.h"

namespace securebase::gateway {

// Adds what the document describes to `api`. An error names the path and method that is wrong. What is there already
// (resources beside the body) stays, unless the document describes the same method.
Result<Done> read_openapi(const base::Json& document, bool any_identity, Api& api);

// The document's own extensions (x-amazon-apigateway-...) that have no effect here.
std::vector<std::string> extensions_without_effect(const base::Json& document);

// `body` as JSON or YAML.
Result<base::Json> parse_document(std::string_view body);

}  // namespace securebase::gateway
