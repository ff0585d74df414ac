// Accounts: signing up and logging in, both answered with a token.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "lambda/api_request.h"
#include "lambda/api_response.h"

namespace securebase::login {

struct Account {
  std::string user_id;
  std::string customer_id;
  std::string email;
  std::string company;
  std::string tier;
  std::string scope;
  std::string password_hash;
};

// Where accounts are kept.
class Accounts {
 public:
  virtual ~Accounts() = default;
  virtual Result<std::optional<Account>> find(std::string_view email) = 0;
  // kConflict: the e-mail address has an account.
  virtual Result<Done> create(const Account& account) = 0;
};

class Login {
 public:
  // `accounts` and `clock` outlive it.
  Login(std::string jwt_secret, Accounts& accounts, const base::Clock& clock);

  Result<lambda::ApiResponse> sign_up(const lambda::ApiRequest& request);
  // Takes the same work for an unknown address as for a wrong password.
  Result<lambda::ApiResponse> log_in(const lambda::ApiRequest& request);

 private:
  lambda::ApiResponse with_token(const Account& account) const;

  const std::string jwt_secret_;
  Accounts& accounts_;
  const base::Clock& clock_;
};

}  // namespace securebase::login
