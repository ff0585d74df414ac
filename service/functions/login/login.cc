#include "login/login.h"

#include <algorithm>

#include "base/json.h"
#include "base/random.h"
#include "lambda/jwt.h"
#include "lambda/parameters.h"
#include "lambda/password.h"

namespace securebase::login {

namespace {

using base::Json;
using lambda::ApiRequest;
using lambda::ApiResponse;

constexpr lambda::TextRule kAnyPassword{.least_characters = 1, .most_characters = 256};
constexpr lambda::TextRule kNewPassword{.least_characters = 10, .most_characters = 256};
constexpr lambda::TextRule kEmail{.least_characters = 3, .most_characters = 254};  // RFC 5321 §4.5.3.1.3
constexpr lambda::TextRule kCompany{.least_characters = 1, .most_characters = 200};
constexpr std::string_view kUserScope = "read write admin";

// Whether mail arrives there only mail can tell; this keeps out what is no address at all.
Result<std::string> email_member(const Json& body) {
  auto email = lambda::text_member(body, "email", kEmail);
  if (!email) return email;
  const std::size_t at = email->find('@');
  const bool has_both_sides = at != std::string::npos && at > 0 && at + 1 < email->size();
  const bool clean = std::ranges::none_of(*email, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
  if (!has_both_sides || !clean || email->find('@', at + 1) != std::string::npos) {
    return Error{Errc::kMalformed, "email: expected an address as name@example.com"};
  }
  std::ranges::transform(*email, email->begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return email;
}

}  // namespace

Login::Login(std::string jwt_secret, Accounts& accounts, const base::Clock& clock)
    : jwt_secret_(std::move(jwt_secret)), accounts_(accounts), clock_(clock) {}

Result<ApiResponse> Login::sign_up(const ApiRequest& request) {
  auto body = request.json_body();
  if (!body) return body.error();
  auto email = email_member(*body);
  if (!email) return email.error();
  auto password = lambda::text_member(*body, "password", kNewPassword);
  if (!password) return password.error();
  auto company = lambda::text_member(*body, "company", kCompany, *email);
  if (!company) return company.error();
  auto tier =
      lambda::choice_member(*body, "tier", {"standard", "professional", "enterprise", "government"}, "standard");
  if (!tier) return tier.error();

  const Account account{.user_id = "usr_" + base::random_hex(20),
                        .customer_id = "cus_" + base::random_hex(16),
                        .email = *email,
                        .company = *company,
                        .tier = *tier,
                        .scope = std::string(kUserScope),
                        .password_hash = lambda::hash_password(*password)};
  if (auto created = accounts_.create(account); !created) return created.error();
  return with_token(account);
}

Result<ApiResponse> Login::log_in(const ApiRequest& request) {
  auto body = request.json_body();
  if (!body) return body.error();
  auto email = email_member(*body);
  if (!email) return email.error();
  auto password = lambda::text_member(*body, "password", kAnyPassword);
  if (!password) return password.error();
  auto account = accounts_.find(*email);
  if (!account) return account.error();
  if (!*account) {
    lambda::waste_password_check(*password);
    return lambda::message(401, "Unauthorized");
  }
  if (!lambda::password_matches(*password, (*account)->password_hash)) return lambda::message(401, "Unauthorized");
  return with_token(**account);
}

ApiResponse Login::with_token(const Account& account) const {
  const lambda::Claims claims{account.user_id, account.customer_id, account.tier, account.scope};
  return lambda::uncached(200, Json::object({{"token", lambda::sign_token(claims, jwt_secret_, clock_.now())},
                                             {"customer_id", account.customer_id},
                                             {"expires_in", std::int64_t{lambda::kTokenLifetime.count()}}})
                                   .dump());
}

}  // namespace securebase::login
