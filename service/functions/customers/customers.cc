#include "customers/customers.h"

#include "customers/api_keys.h"
#include "customers/invoices.h"
#include "customers/profile.h"
#include "customers/tickets.h"

namespace securebase::customers {

lambda::Router make_router(std::shared_ptr<lambda::Services> services) {
  using Answer = Result<lambda::ApiResponse> (*)(lambda::Services&, const lambda::ApiRequest&);
  const auto with_services = [&](Answer answer) {
    return [services, answer](const lambda::ApiRequest& request) { return answer(*services, request); };
  };
  return lambda::Router({
      {"GET", "/v1/customers/{id}", with_services(get_profile)},
      {"GET", "/v1/customers/{id}/invoices", with_services(list_invoices)},
      {"GET", "/v1/customers/{id}/invoices/{invoice_id}", with_services(get_invoice)},
      {"GET", "/v1/customers/{id}/api-keys", with_services(list_api_keys)},
      {"POST", "/v1/customers/{id}/api-keys", with_services(create_api_key)},
      {"DELETE", "/v1/customers/{id}/api-keys/{key_id}", with_services(revoke_api_key)},
      {"GET", "/v1/customers/{id}/tickets", with_services(list_tickets)},
      {"POST", "/v1/customers/{id}/tickets", with_services(create_ticket)},
      {"GET", "/v1/customers/{id}/tickets/{ticket_id}", with_services(get_ticket)},
      {"POST", "/v1/customers/{id}/tickets/{ticket_id}/comments", with_services(add_comment)},
  });
}

}  // namespace securebase::customers
