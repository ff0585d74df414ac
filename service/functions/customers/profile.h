// GET /v1/customers/{id}
#pragma once

#include "lambda/api_request.h"
#include "lambda/api_response.h"
#include "lambda/services.h"

namespace securebase::customers {

Result<lambda::ApiResponse> get_profile(lambda::Services& services, const lambda::ApiRequest& request);

}  // namespace securebase::customers
