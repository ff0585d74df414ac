// GET and POST /v1/customers/{id}/api-keys, DELETE .../{key_id}. A key is shown once; what is kept is its SHA-256: a
// key is 256 random bits, which no dictionary holds, so a slow hash would protect nothing.
#pragma once

#include "lambda/api_request.h"
#include "lambda/api_response.h"
#include "lambda/services.h"

namespace securebase::customers {

Result<lambda::ApiResponse> list_api_keys(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> create_api_key(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> revoke_api_key(lambda::Services& services, const lambda::ApiRequest& request);

}  // namespace securebase::customers
