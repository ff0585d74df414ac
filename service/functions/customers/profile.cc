#include "customers/profile.h"

#include <fmt/format.h>

#include "lambda/parameters.h"

namespace securebase::customers {

namespace {

constexpr lambda::Statement kGetProfile{"get_profile", R"sql(
  SELECT row_to_json(c)::text FROM (
    SELECT customer_id, name, email, tier, status, region, created_at FROM customers WHERE customer_id = $1) AS c)sql"};

}  // namespace

Result<lambda::ApiResponse> get_profile(lambda::Services& services, const lambda::ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto body = services.cache.read(lambda::Kind::kProfile, *customer, "record", [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kGetProfile, {*customer});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no customer '{}'", *customer)};
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(lambda::Kind::kProfile, *customer, std::move(*body));
}

}  // namespace securebase::customers
