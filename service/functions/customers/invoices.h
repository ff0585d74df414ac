// GET /v1/customers/{id}/invoices and .../{invoice_id}
#pragma once

#include "lambda/api_request.h"
#include "lambda/api_response.h"
#include "lambda/services.h"

namespace securebase::customers {

Result<lambda::ApiResponse> list_invoices(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> get_invoice(lambda::Services& services, const lambda::ApiRequest& request);

}  // namespace securebase::customers
