#include "reports/reports.h"

#include <fmt/format.h>

#include "base/random.h"
#include "lambda/parameters.h"
#include "summaries/summaries.h"

namespace securebase::reports {

namespace {

using lambda::ApiRequest;
using lambda::ApiResponse;
using lambda::Kind;
using lambda::Services;
using lambda::Statement;

// Builds the report and its row in one statement: there is never a row that waits for a worker that died.
class Type {
 public:
  Type(std::string_view name, const char* summary)
      : name_(name),
        statement_name_(fmt::format("make_{}_report", name)),
        sql_(fmt::format("INSERT INTO reports (report_id, customer_id, type, period, status, result) "
                         "VALUES ($4, $1::text, '{}', $3::text, 'completed', ({})::json) "
                         "RETURNING row_to_json((SELECT r FROM (SELECT report_id, status) AS r))::text",
                         name, summary)) {}

  std::string_view name() const { return name_; }
  Statement statement() const { return {statement_name_.c_str(), sql_.c_str(), Statement::Effect::kWrite}; }

 private:
  const std::string_view name_;
  const std::string statement_name_;
  const std::string sql_;
};

const Type& type_named(std::string_view name) {
  static const Type kTypes[] = {{"usage", summaries::kUsage},
                                {"cost", summaries::kCost},
                                {"invoices", summaries::kInvoices},
                                {"security", summaries::kSecurity},
                                {"compliance", summaries::kCompliance}};
  for (const Type& type : kTypes) {
    if (type.name() == name) return type;
  }
  check(false, "the type was validated");
  return kTypes[0];
}

constexpr Statement kGetReport{"get_report", R"sql(
  SELECT row_to_json(r)::text FROM (
    SELECT report_id, type, period, status, created_at, completed_at, result
    FROM reports WHERE customer_id = $1 AND report_id = $2) AS r)sql"};

Result<ApiResponse> make_report(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "write");
  if (!customer) return customer.error();
  auto body = request.json_body();
  if (!body) return body.error();
  auto type = lambda::choice_member(*body, "type", {"usage", "cost", "invoices", "security", "compliance"}, "usage");
  if (!type) return type.error();
  auto period_text = lambda::text_member(*body, "period", {.least_characters = 2, .most_characters = 5}, "30d");
  if (!period_text) return period_text.error();
  auto period = lambda::parse_period(*period_text);
  if (!period) return period.error();

  const std::string report_id = "rpt_" + base::random_hex(20);
  auto rows = services.database.run(*customer, type_named(*type).statement(),
                                    {*customer, std::to_string(period->length.count()), period->text, report_id});
  if (!rows) return rows.error();
  return lambda::written(202, std::string(rows->text(0, 0)), Kind::kReports, *customer);
}

Result<ApiResponse> get_report(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto report_id = lambda::id_in_path(request, "report_id", "report");
  if (!report_id) return report_id.error();
  auto body = services.cache.read(Kind::kReports, *customer, *report_id, [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kGetReport, {*customer, *report_id});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no report '{}'", *report_id)};
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kReports, *customer, std::move(*body));
}

}  // namespace

lambda::Router make_router(std::shared_ptr<Services> services) {
  return lambda::Router({
      {"POST", "/v1/customers/{id}/reports", [services](const auto& r) { return make_report(*services, r); }},
      {"GET", "/v1/customers/{id}/reports/{report_id}", [services](const auto& r) { return get_report(*services, r); }},
  });
}

}  // namespace securebase::reports
