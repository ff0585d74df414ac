#include "customers/tickets.h"

#include <fmt/format.h>

#include "base/random.h"
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

constexpr std::int64_t kUsualLimit = 20;

constexpr Statement kListTickets{"list_tickets", R"sql(
  SELECT row_to_json(t)::text, created_at::text, ticket_id FROM (
    SELECT ticket_id, subject, priority, status, created_at, updated_at,
           (SELECT count(*) FROM ticket_comments c
            WHERE c.customer_id = $1 AND c.ticket_id = support_tickets.ticket_id) AS comments
    FROM support_tickets
    WHERE customer_id = $1 AND ($2::text IS NULL OR status = $2)
      AND ($3::timestamptz IS NULL OR (created_at, ticket_id) < ($3, $4::text))
    ORDER BY created_at DESC, ticket_id DESC LIMIT $5::int) AS t)sql"};

constexpr Statement kGetTicket{"get_ticket", R"sql(
  SELECT row_to_json(t)::text FROM (
    SELECT ticket_id, subject, description, priority, status, created_at, updated_at,
           (SELECT coalesce(json_agg(c ORDER BY created_at, comment_id), '[]') FROM (
              SELECT comment_id, author, body, created_at FROM ticket_comments
              WHERE customer_id = $1 AND ticket_id = $2) AS c) AS comments
    FROM support_tickets WHERE customer_id = $1 AND ticket_id = $2) AS t)sql"};

constexpr Statement kCreateTicket{"create_ticket", R"sql(
  INSERT INTO support_tickets (ticket_id, customer_id, subject, description, priority)
  VALUES ($2, $1, $3, $4, $5)
  RETURNING row_to_json((SELECT t FROM (SELECT ticket_id, status, created_at) AS t))::text)sql",
                                  Statement::Effect::kWrite};

// No row when there is no such ticket.
constexpr Statement kAddComment{"add_comment", R"sql(
  WITH ticket AS (
    UPDATE support_tickets SET updated_at = now() WHERE customer_id = $1 AND ticket_id = $2 RETURNING ticket_id)
  INSERT INTO ticket_comments (comment_id, ticket_id, customer_id, author, body)
  SELECT $3, ticket_id, $1, (SELECT email FROM customers WHERE customer_id = $1), $4 FROM ticket
  RETURNING row_to_json((SELECT c FROM (SELECT comment_id, created_at) AS c))::text)sql",
                                Statement::Effect::kWrite};

// Every list that is kept in Redis: so a write knows all the keys that it makes old.
void invalidate_lists(Services& services, const std::string& customer_id) {
  services.cache.invalidate(Kind::kTickets, customer_id, {"all", "open", "pending", "closed"});
}

}  // namespace

Result<ApiResponse> list_tickets(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto status = lambda::choice_parameter(request, "status", {"open", "pending", "closed"});
  if (!status) return status.error();
  auto limit = lambda::integer_parameter(request, "limit", {.least = 1, .most = 100, .by_default = kUsualLimit});
  if (!limit) return limit.error();
  std::optional<lambda::Cursor> after;
  if (const auto text = request.query_parameter("cursor"); !text.empty()) {
    auto cursor = lambda::Cursor::parse(text);
    if (!cursor) return cursor.error();
    after = std::move(*cursor);
  }

  const auto fetch = [&]() -> Result<std::string> {
    auto rows = services.database.run(
        *customer, kListTickets,
        {*customer, status->empty() ? Parameter() : Parameter(*status), after ? Parameter(after->at) : Parameter(),
         after ? Parameter(after->id) : Parameter(), std::to_string(*limit + 1)});
    if (!rows) return rows.error();
    return page_body("tickets", *rows, *limit);
  };
  const bool usual = !after && *limit == kUsualLimit;
  auto body = usual ? services.cache.read(Kind::kTickets, *customer, status->empty() ? "all" : *status, fetch)
                    : services.cache.read_uncached(fetch);
  if (!body) return body.error();
  return services.cache.respond(Kind::kTickets, *customer, std::move(*body));
}

Result<ApiResponse> get_ticket(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto ticket_id = lambda::id_in_path(request, "ticket_id", "ticket");
  if (!ticket_id) return ticket_id.error();
  auto body = services.cache.read_uncached([&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kGetTicket, {*customer, *ticket_id});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no ticket '{}'", *ticket_id)};
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kTickets, *customer, std::move(*body));
}

Result<ApiResponse> create_ticket(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "write");
  if (!customer) return customer.error();
  auto body = request.json_body();
  if (!body) return body.error();
  auto subject = lambda::text_member(*body, "subject", {.least_characters = 1, .most_characters = 200});
  if (!subject) return subject.error();
  auto description = lambda::text_member(*body, "description", {.least_characters = 0, .most_characters = 10'000}, "");
  if (!description) return description.error();
  auto priority = lambda::choice_member(*body, "priority", {"low", "normal", "high", "urgent"}, "normal");
  if (!priority) return priority.error();

  const std::string ticket_id = "tkt_" + base::random_hex(20);
  auto rows =
      services.database.run(*customer, kCreateTicket, {*customer, ticket_id, *subject, *description, *priority});
  if (!rows) return rows.error();
  invalidate_lists(services, *customer);
  return lambda::written(201, std::string(rows->text(0, 0)), Kind::kTickets, *customer);
}

Result<ApiResponse> add_comment(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "write");
  if (!customer) return customer.error();
  auto ticket_id = lambda::id_in_path(request, "ticket_id", "ticket");
  if (!ticket_id) return ticket_id.error();
  auto body = request.json_body();
  if (!body) return body.error();
  auto text = lambda::text_member(*body, "body", {.least_characters = 1, .most_characters = 10'000});
  if (!text) return text.error();

  auto rows =
      services.database.run(*customer, kAddComment, {*customer, *ticket_id, "cmt_" + base::random_hex(20), *text});
  if (!rows) return rows.error();
  if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no ticket '{}'", *ticket_id)};
  invalidate_lists(services, *customer);
  return lambda::written(201, std::string(rows->text(0, 0)), Kind::kTickets, *customer);
}

}  // namespace securebase::customers
