// securebase-prod-auth: the authorizer, with API keys found in PostgreSQL and kept in Redis.
#include "auth/auth.h"

#include <memory>

#include "lambda/environment.h"
#include "lambda/jwt.h"
#include "lambda/serve.h"
#include "lambda/services.h"

namespace {

using namespace securebase;

constexpr lambda::Statement kUseApiKey{.name = "use_api_key",
                                       .sql = "SELECT row_to_json(k)::text FROM use_api_key(decode($1, 'hex')) AS k",
                                       // It notes the time of use, which does no harm twice.
                                       .effect = lambda::Statement::Effect::kRead};

Result<auth::Identity> find_key(lambda::Services& services, std::string_view customer_id, std::string_view hash) {
  auto found = services.cache.read(lambda::Kind::kApiKeys, customer_id, "key:" + std::string(hash),
                                   [&]() -> Result<std::string> {
                                     auto rows = services.database.run("", kUseApiKey, {std::string(hash)});
                                     if (!rows) return rows.error();
                                     if (rows->empty()) return Error{Errc::kNotFound, "no such API key"};
                                     return std::string(rows->text(0, 0));
                                   });
  if (!found) return found.error();
  auto key = base::Json::parse(found->body);
  if (!key) return key.error();
  const auto member = [&](std::string_view name) { return std::string((*key)[name].string_or("")); };
  return auth::Identity{member("customer_id"), member("tier"), member("scope")};
}

Result<lambda::Handler> initialise() {
  auto secret = lambda::required_variable("JWT_SECRET");
  if (!secret) return secret.error();
  if (secret->size() < lambda::kLeastSecretBytes) {
    return Error{Errc::kMalformed, "JWT_SECRET: expected at least 32 bytes, it is shorter"};
  }
  auto services = lambda::services_from_environment();
  if (!services) return services.error();
  const auto authorizer = std::make_shared<const auth::Authorizer>(
      *secret,
      [services = *services](std::string_view customer_id, std::string_view hash) {
        return find_key(*services, customer_id, hash);
      },
      (*services)->clock);
  return lambda::Handler([authorizer](const lambda::Invocation& invocation) {  //
    return authorizer->answer(invocation.event);
  });
}

}  // namespace

int main() { return lambda::serve(initialise); }
