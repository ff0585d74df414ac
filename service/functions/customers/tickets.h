// GET and POST /v1/customers/{id}/tickets, GET .../{ticket_id}, POST .../{ticket_id}/comments
#pragma once

#include "lambda/api_request.h"
#include "lambda/api_response.h"
#include "lambda/services.h"

namespace securebase::customers {

Result<lambda::ApiResponse> list_tickets(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> create_ticket(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> get_ticket(lambda::Services& services, const lambda::ApiRequest& request);
Result<lambda::ApiResponse> add_comment(lambda::Services& services, const lambda::ApiRequest& request);

}  // namespace securebase::customers
