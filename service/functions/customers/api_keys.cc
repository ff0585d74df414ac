#include "customers/api_keys.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/random.h"
#include "lambda/parameters.h"

namespace securebase::customers {

namespace {

using base::Json;
using lambda::ApiRequest;
using lambda::ApiResponse;
using lambda::Kind;
using lambda::Services;
using lambda::Statement;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kShownSecretBytes = 6;  // of the prefix in lists

constexpr Statement kListKeys{"list_api_keys", R"sql(
  SELECT coalesce(json_agg(k ORDER BY created_at, api_key_id), '[]')::text FROM (
    SELECT api_key_id, name, prefix, scope, created_at, last_used_at
    FROM api_keys WHERE customer_id = $1 AND revoked_at IS NULL) AS k)sql"};

// No row when the customer has as many as it may.
constexpr Statement kCreateKey{"create_api_key", R"sql(
  INSERT INTO api_keys (api_key_id, customer_id, name, prefix, key_hash, scope)
  SELECT $2, $1, $3, $4, decode($5, 'hex'), $6
  WHERE (SELECT count(*) FROM api_keys WHERE customer_id = $1 AND revoked_at IS NULL) < 100
  RETURNING to_json(created_at) #>> '{}')sql",
                               Statement::Effect::kWrite};

constexpr Statement kRevokeKey{"revoke_api_key", R"sql(
  UPDATE api_keys SET revoked_at = now()
  WHERE customer_id = $1 AND api_key_id = $2 AND revoked_at IS NULL
  RETURNING encode(key_hash, 'hex'))sql",
                               Statement::Effect::kWrite};

}  // namespace

Result<ApiResponse> list_api_keys(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "read");
  if (!customer) return customer.error();
  auto body = services.cache.read(Kind::kApiKeys, *customer, "list", [&]() -> Result<std::string> {
    auto rows = services.database.run(*customer, kListKeys, {*customer});
    if (!rows) return rows.error();
    return fmt::format("{{\"api_keys\":{}}}", rows->text(0, 0));
  });
  if (!body) return body.error();
  return services.cache.respond(Kind::kApiKeys, *customer, std::move(*body));
}

Result<ApiResponse> create_api_key(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "admin");
  if (!customer) return customer.error();
  auto body = request.json_body();
  if (!body) return body.error();
  auto name = lambda::text_member(*body, "name", {.least_characters = 1, .most_characters = 100}, "API key");
  if (!name) return name.error();
  auto scope = lambda::choice_member(*body, "scope", {"read", "read write"}, "read write");
  if (!scope) return scope.error();

  const std::string id = "key_" + base::random_hex(16);
  const std::string secret = base::base64url(base::random_bytes(kSecretBytes));
  const std::string key = fmt::format("sbk.{}.{}", *customer, secret);
  const std::string prefix = key.substr(0, key.size() - secret.size() + kShownSecretBytes);
  auto rows = services.database.run(*customer, kCreateKey,
                                    {*customer, id, *name, prefix, base::hex(base::sha256(key)), *scope});
  if (!rows) return rows.error();
  if (rows->empty()) return Error{Errc::kConflict, "at most 100 API keys; revoke one first"};
  services.cache.invalidate(Kind::kApiKeys, *customer, {"list"});
  const Json created = Json::object(
      {{"api_key_id", id}, {"api_key", key}, {"name", *name}, {"scope", *scope}, {"created_at", rows->text(0, 0)}});
  return lambda::written(201, created.dump(), Kind::kApiKeys, *customer);
}

Result<ApiResponse> revoke_api_key(Services& services, const ApiRequest& request) {
  auto customer = lambda::authorised_customer(request, "admin");
  if (!customer) return customer.error();
  auto key_id = lambda::id_in_path(request, "key_id", "API key");
  if (!key_id) return key_id.error();
  auto rows = services.database.run(*customer, kRevokeKey, {*customer, *key_id});
  if (!rows) return rows.error();
  if (rows->empty()) return Error{Errc::kNotFound, fmt::format("no API key '{}'", *key_id)};
  services.cache.invalidate(Kind::kApiKeys, *customer, {"list", "key:" + std::string(rows->text(0, 0))});
  return lambda::written(204, "", Kind::kApiKeys, *customer);
}

}  // namespace securebase::customers
