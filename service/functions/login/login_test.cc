#include "login/login.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"
#include "lambda/jwt.h"
#include "lambda/password.h"

namespace securebase::login {
namespace {

using base::Json;

const std::string kSecret(32, 'k');

class MemoryAccounts final : public Accounts {
 public:
  Result<std::optional<Account>> find(std::string_view email) override {
    const auto found = accounts.find(email);
    return found == accounts.end() ? std::optional<Account>() : std::optional(found->second);
  }
  Result<Done> create(const Account& account) override {
    if (!accounts.emplace(account.email, account).second) return Error{Errc::kConflict, "taken"};
    return Done{};
  }
  std::map<std::string, Account, std::less<>> accounts;
};

lambda::ApiRequest body(const Json& json) {
  lambda::ApiRequest request;
  request.body = json.dump();
  return request;
}

struct LoginTest : testing::Test {
  base::ManualClock clock;
  MemoryAccounts accounts;
  Login login{kSecret, accounts, clock};
};

TEST_F(LoginTest, WhoSignedUpCanLogIn) {
  auto signed_up = login.sign_up(body(Json::object({{"email", "Ann@Example.com"}, {"password", "long enough"}})));
  ASSERT_TRUE(signed_up);
  EXPECT_EQ(signed_up->status, 200);
  auto logged_in = login.log_in(body(Json::object({{"email", "ann@example.com"}, {"password", "long enough"}})));
  ASSERT_TRUE(logged_in);
  const auto answer = *Json::parse(logged_in->body);
  EXPECT_EQ(answer["expires_in"].integer_or(0), 3600);
  auto claims = lambda::verify_token(answer["token"].string_or(""), kSecret, clock.now());
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->customer_id, answer["customer_id"].string_or(""));
  EXPECT_EQ(claims->tier, "standard");
}

TEST_F(LoginTest, WrongPasswordAndUnknownAddressLookTheSame) {
  accounts.accounts["a@b.example"] = Account{.user_id = "u",
                                             .customer_id = "42",
                                             .email = "a@b.example",
                                             .company = "",
                                             .tier = "standard",
                                             .scope = "read",
                                             .password_hash = lambda::hash_password("right password")};
  auto wrong = login.log_in(body(Json::object({{"email", "a@b.example"}, {"password", "wrong"}})));
  auto unknown = login.log_in(body(Json::object({{"email", "x@b.example"}, {"password", "wrong"}})));
  ASSERT_TRUE(wrong && unknown);
  EXPECT_EQ(wrong->status, 401);
  EXPECT_EQ(wrong->encode(), unknown->encode());
}

TEST_F(LoginTest, OneAddressHasOneAccount) {
  const auto request = body(Json::object({{"email", "a@b.example"}, {"password", "long enough"}}));
  ASSERT_TRUE(login.sign_up(request));
  EXPECT_EQ(login.sign_up(request).error().code, Errc::kConflict);
}

TEST_F(LoginTest, RefusesWhatIsNoAccount) {
  for (const Json& json : {Json::object(), Json::object({{"email", "a@b.example"}}),
                           Json::object({{"email", "a@b.example"}, {"password", 5}}),
                           Json::object({{"email", "a@b.example"}, {"password", "short"}}),
                           Json::object({{"email", "nobody"}, {"password", "long enough"}}),
                           Json::object({{"email", "a@b@c"}, {"password", "long enough"}}),
                           Json::object({{"email", "a b@c.example"}, {"password", "long enough"}}),
                           Json::object({{"email", "a@b.example"}, {"password", "long enough"}, {"tier", "free"}})}) {
    auto answer = login.sign_up(body(json));
    ASSERT_FALSE(answer) << json.dump();
    EXPECT_EQ(answer.error().code, Errc::kMalformed);
  }
}

}  // namespace
}  // namespace securebase::login
