#include "customers/invoices.h"

#include <fmt/format.h>

#include "customers/page.h"
#include "lambda/parameters.h"

namespace securebase::customers {

namespace {

using lambda::ApiRequest;
using lambda::ApiResponse;
using lambda::Kind;
using lambda::Parameter;
using lambda::Services;
using lambda::Statement;

// Keyset pagination by idx_invoices_customer_date: a page costs the same however far back it lies.
constexpr Statement kListInvoices{"list_invoices", R"sql(
  SELECT row_to_json(i)::text, invoice_date::text, invoice_id FROM (
    SELECT invoice_id, invoice_date, due_date, amount, currency, status, tier
    FROM invoices
    WHERE customer_id = $1 AND ($2::text IS NULL OR status = $2) AND ($3::date IS NULL OR invoice_date >= $3)
      AND ($4::date IS NULL OR invoice_date <= $4)
      AND ($5::date IS NULL OR (invoice_date, invoice_id) < ($5, $6::text))
    ORDER BY invoice_date DESC, invoice_id DESC LIMIT $7::int) AS i)sql"};

constexpr Statement kGetInvoice{"get_invoice", R"sql(
  SELECT row_to_json(i)::text FROM (
    SELECT invoice_id, invoice_date, due_date, amount, currency, status, tier, line_items
    FROM invoices WHERE customer_id = $1 AND invoice_id = $2) AS i)sql"};

// What a list of invoices was asked with, checked.
struct Query {
  std::string status;
  std::optional<std::string> from, to;
  std::int64_t limit;
  std::optional<lambda::Cursor> after;
  std::string cursor_text;

  static Result<Query> read(const ApiRequest& request) {
    auto status = lambda::choice_parameter(request, "status", {"draft", "open", "paid", "overdue", "void"});
    if (!status) return status.error();
    auto from = lambda::date_parameter(request, "from");
    if (!from) return from.error();
    auto to = lambda::date_parameter(request, "to");
    if (!to) return to.error();
    auto limit = lambda::integer_parameter(request, "limit", {.least = 1, .most = 100, .by_default = 20});
    if (!limit) return limit.error();
    Query query{*status, *from, *to, *limit, std::nullopt, std::string(request.query_parameter("cursor"))};
    if (!query.cursor_text.empty()) {
      auto cursor = lambda::Cursor::parse(query.cursor_text);
      if (!cursor) return cursor.error();
      query.after = std::move(*cursor);
    }
    return query;
  }

  std::string cache_rest() const {
    return fmt::format("list:{}:{}:{}:{}:{}", status, from.value_or(""), to.value_or(""), limit, cursor_text);
  }

  std::vector<Parameter> parameters(const std::string& customer_id) const {
    return {customer_id,
            status.empty() ? Parameter() : Parameter(status),
            from,
            to,
            after ? Parameter(after->at) : Parameter(),
            after ? Parameter(after->id) : Parameter(),
            std::to_string(limit + 1)};
  }
};

}  // namespace

Result<ApiResponse> list_invoices(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto query = Query::read(request);
  if (!query) return query.error();
  auto body = services.cache.read(Kind::kInvoices, *customer, query->cache_rest(), [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kListInvoices, query->parameters(*customer));
    if (!rows) return rows.error();
    return page_body("invoices", *rows, query->limit);
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kInvoices, *customer, std::move(*body));
}

Result<ApiResponse> get_invoice(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto invoice_id = lambda::id_in_path(request, "invoice_id", "invoice");
  if (!invoice_id) return invoice_id.error();
  auto body = services.cache.read(Kind::kInvoices, *customer, "one:" + *invoice_id, [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kGetInvoice, {*customer, *invoice_id});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no invoice '{}'", *invoice_id)};
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kInvoices, *customer, std::move(*body));
}

}  // namespace securebase::customers
