#include "analytics/analytics.h"

#include <fmt/format.h>

#include "lambda/parameters.h"
#include "summaries/summaries.h"

namespace securebase::analytics {

namespace {

using lambda::ApiRequest;
using lambda::ApiResponse;
using lambda::Kind;
using lambda::Services;
using lambda::Statement;

constexpr Statement kCost{"cost", summaries::kCost};
constexpr Statement kSecurity{"security", summaries::kSecurity};
constexpr Statement kCompliance{"compliance", summaries::kCompliance};

// The newest state of all controls, in few words.
constexpr Statement kOverview{"compliance_overview", R"sql(
  SELECT row_to_json(overview)::text FROM (
    WITH by_framework AS (
      SELECT framework, count(*) FILTER (WHERE passed) AS passed, count(*) FILTER (WHERE NOT passed) AS failed,
             count(*) AS total, round(100.0 * count(*) FILTER (WHERE passed) / count(*), 1) AS score
      FROM compliance_checks WHERE customer_id = $1 GROUP BY framework)
    SELECT $1 AS customer_id, (SELECT round(100.0 * sum(passed) / sum(total), 1) FROM by_framework) AS score,
           (SELECT coalesce(json_agg(by_framework ORDER BY framework), '[]') FROM by_framework) AS frameworks
  ) AS overview)sql"};

Result<ApiResponse> answer_summary(Services& services, const ApiRequest& request, const Statement& statement,
                                   std::string_view name) {
  auto customer = lambda::authorised_customer_of_query(request, "read");
  if (!customer) return customer.error();
  auto period = lambda::period_parameter(request);
  if (!period) return period.error();
  const auto fetch = [&]() -> Result<std::string> {
    auto rows =
        services.database.run(*customer, statement, {*customer, std::to_string(period->length.count()), period->text});
    if (!rows) return rows.error();
    return fmt::format("{{\"data\":{}}}", rows->text(0, 0));
  };
  auto body = services.cache.read(Kind::kAnalytics, *customer, fmt::format("{}:{}", name, period->text), fetch);
  if (!body) return body.error();
  return services.cache.respond(Kind::kAnalytics, *customer, std::move(*body));
}

Result<ApiResponse> answer_overview(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto body = services.cache.read(Kind::kAnalytics, *customer, "overview", [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kOverview, {*customer});
    if (!rows) return rows.error();
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kAnalytics, *customer, std::move(*body));
}

}  // namespace

lambda::Router make_router(std::shared_ptr<Services> services) {
  const auto summary = [&](const Statement& statement, std::string_view name) {
    return [services, &statement, name](const ApiRequest& r) { return answer_summary(*services, r, statement, name); };
  };
  return lambda::Router({
      {"GET", "/v1/analytics/cost-breakdown", summary(kCost, "cost-breakdown")},
      {"GET", "/v1/analytics/security", summary(kSecurity, "security")},
      {"GET", "/v1/analytics/compliance", summary(kCompliance, "compliance")},
      {"GET", "/v1/customers/{id}/compliance", [services](const auto& r) { return answer_overview(*services, r); }},
  });
}

}  // namespace securebase::analytics
