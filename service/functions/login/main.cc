// securebase-prod-login: POST /v1/auth/signup and /v1/auth/login, with the accounts in PostgreSQL.
#include <memory>

#include "base/json.h"
#include "lambda/environment.h"
#include "lambda/jwt.h"
#include "lambda/router.h"
#include "lambda/serve.h"
#include "lambda/services.h"
#include "login/login.h"

namespace {

using namespace securebase;

// Both ask before it is known whose tenant it is: narrow functions in the database answer (0005_across_tenants.sql).
constexpr lambda::Statement kFindLogin{.name = "find_login",
                                       .sql = "SELECT row_to_json(l)::text FROM find_login($1) AS l"};
constexpr lambda::Statement kCreateAccount{.name = "create_account",
                                           .sql = "SELECT create_account($1, $2, $3, $4, $5, $6)::text",
                                           .effect = lambda::Statement::Effect::kWrite};

class StoredAccounts final : public login::Accounts {
 public:
  explicit StoredAccounts(lambda::Database& database) : database_(database) {}

  Result<std::optional<login::Account>> find(std::string_view email) override {
    auto rows = database_.run("", kFindLogin, {std::string(email)});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<login::Account>();
    auto row = base::Json::parse(rows->text(0, 0));
    if (!row) return row.error();
    const auto member = [&](std::string_view name) { return std::string((*row)[name].string_or("")); };
    return std::optional(login::Account{.user_id = member("user_id"),
                                        .customer_id = member("customer_id"),
                                        .email = std::string(email),
                                        .company = {},
                                        .tier = member("tier"),
                                        .scope = member("scope"),
                                        .password_hash = member("password_hash")});
  }

  Result<Done> create(const login::Account& account) override {
    auto rows = database_.run(
        "", kCreateAccount,
        {account.user_id, account.customer_id, account.company, account.email, account.password_hash, account.tier});
    if (!rows) return rows.error();
    if (rows->text(0, 0) != "true") return Error{Errc::kConflict, "email: it has an account already; log in instead"};
    return Done{};
  }

 private:
  lambda::Database& database_;
};

// Lives as long as the process' handler.
struct Program {
  std::shared_ptr<lambda::Services> services;
  StoredAccounts accounts;
  login::Login login;

  Program(std::shared_ptr<lambda::Services> with, const std::string& secret)
      : services(std::move(with)), accounts(services->database), login(secret, accounts, services->clock) {}
};

Result<lambda::Handler> initialise() {
  auto secret = lambda::required_variable("JWT_SECRET");
  if (!secret) return secret.error();
  if (secret->size() < lambda::kLeastSecretBytes) {
    return Error{Errc::kMalformed, "JWT_SECRET: expected at least 32 bytes, it is shorter"};
  }
  auto services = lambda::services_from_environment();
  if (!services) return services.error();
  const auto program = std::make_shared<Program>(*services, *secret);
  return lambda::Router({{"POST", "/v1/auth/signup", [program](const auto& r) { return program->login.sign_up(r); }},
                         {"POST", "/v1/auth/login", [program](const auto& r) { return program->login.log_in(r); }}})
      .handler();
}

}  // namespace

int main() { return lambda::serve(initialise); }
