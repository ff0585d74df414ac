#include "critical_api/critical_api.h"

#include "base/json.h"
#include "lambda/environment.h"
#include "lambda/parameters.h"

namespace securebase::critical_api {

namespace {

using base::Json;
using lambda::ApiRequest;
using lambda::ApiResponse;
using lambda::Kind;
using lambda::Services;
using lambda::Statement;

constexpr Statement kPing{"ping", "SELECT 1"};

constexpr Statement kPricing{"pricing", R"sql(
  SELECT json_build_object('currency', 'USD', 'pricing', json_agg(p ORDER BY position))::text FROM (
    SELECT tier, name, monthly_price, annual_price, included_api_calls, overage_per_1000, position FROM tiers) AS p)sql"};

constexpr Statement kTiers{"tiers", R"sql(
  SELECT json_build_object('tiers', json_agg(t ORDER BY position))::text FROM (
    SELECT tier, name, position,
           (SELECT json_agg(f ORDER BY f.position) FROM (
              SELECT feature, included, limit_value AS "limit", unit, position FROM tier_features
              WHERE tier_features.tier = tiers.tier) AS f) AS features
    FROM tiers) AS t)sql"};

template <class Check>
Json timed(const base::Clock& clock, std::string_view when_down, Check run) {
  const auto start = clock.steady();
  const Result<Done> outcome = run();
  const std::chrono::duration<double, std::milli> took = clock.steady() - start;
  return Json::object({{"status", outcome ? "healthy" : when_down}, {"latency_ms", took.count()}});
}

// Without ?checks=all it touches nothing: a load balancer asks often, and a database that is down is not mended by
// taking the API away too.
Result<ApiResponse> answer_health(Services& services, const ApiRequest& request) {
  auto checks = lambda::choice_parameter(request, "checks", {"all"});
  if (!checks) return checks.error();
  Json health = Json::object({{"status", "healthy"},
                              {"service", "securebase"},
                              {"version", SECUREBASE_VERSION},
                              {"region", lambda::variable_or("AWS_REGION", "us-east-1")},
                              {"time", base::iso8601(services.clock.now())}});
  if (checks->empty()) return lambda::uncached(200, health.dump());

  const Json database = timed(services.clock, "unhealthy", [&]() -> Result<Done> {
    auto rows = services.database.run("", kPing, {});
    if (!rows) return rows.error();
    return Done{};
  });
  const Json cache = timed(services.clock, "degraded", [&]() -> Result<Done> {
    if (!services.cache.store()) return Done{};
    auto got = services.cache.store()->get("health");
    if (!got) return got.error();
    return Done{};
  });
  const bool healthy = database["status"].string_or("") == "healthy";
  health.set("checks", Json::object({{"database", database}, {"cache", cache}}));
  health.set("status", healthy ? "healthy" : "unhealthy");
  return lambda::uncached(healthy ? 200 : 503, health.dump());
}

Result<ApiResponse> answer_public(Services& services, const Statement& statement, std::string_view name) {
  auto body = services.cache.read(Kind::kTierFeatures, "", name, [&]() -> Result<std::string> {
    auto rows = services.database.run("", statement, {});
    if (!rows) return rows.error();
    return std::string(rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kTierFeatures, "", std::move(*body));
}

}  // namespace

lambda::Router make_router(std::shared_ptr<Services> services) {
  return lambda::Router({
      {"GET", "/v1/health", [services](const auto& r) { return answer_health(*services, r); }},
      {"GET", "/v1/pricing", [services](const auto&) { return answer_public(*services, kPricing, "pricing"); }},
      {"GET", "/v1/tiers", [services](const auto&) { return answer_public(*services, kTiers, "tiers"); }},
  });
}

}  // namespace securebase::critical_api
