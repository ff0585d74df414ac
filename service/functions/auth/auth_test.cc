#include "auth/auth.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/hash.h"
#include "lambda/jwt.h"

namespace securebase::auth {
namespace {

using base::Json;

const std::string kSecret(32, 'k');
const std::string kKey = "sbk.42.secret";

struct AuthTest : testing::Test {
  base::ManualClock clock;
  int looked_up = 0;
  Errc lookup_error = Errc::kNotFound;
  Authorizer authorizer{kSecret,
                        [this](std::string_view customer_id, std::string_view hash) -> Result<Identity> {
                          ++looked_up;
                          if (customer_id == "42" && hash == base::hex(base::sha256(kKey))) {
                            return Identity{"42", "standard", "read"};
                          }
                          return Error{lookup_error, "not found"};
                        },
                        clock};

  Result<std::string> ask(Json headers) const {
    return authorizer.answer(
        Json::object({{"type", "REQUEST"},
                      {"methodArn", "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/v1/customers/42"},
                      {"headers", std::move(headers)}})
            .dump());
  }
  std::string token() const {
    return lambda::sign_token({"usr_1", "42", "standard", "read write admin"}, kSecret, clock.now());
  }
};

TEST_F(AuthTest, AllowsATokensHolderTheWholeStage) {
  auto policy = ask(Json::object({{"authorization", "Bearer " + token()}}));
  ASSERT_TRUE(policy);
  EXPECT_EQ(
      *policy,
      R"({"principalId":"42","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke",)"
      R"("Effect":"Allow","Resource":["arn:aws:execute-api:us-east-1:123456789012:abc/prod/*"]}]},)"
      R"("context":{"customer_id":"42","tier":"standard","scope":"read write admin"}})");
}

TEST_F(AuthTest, AllowsAKeysHolder) {
  auto policy = ask(Json::object({{"x-api-key", kKey}}));
  ASSERT_TRUE(policy);
  EXPECT_EQ((*Json::parse(*policy))["context"]["scope"].string_or(""), "read");
}

TEST_F(AuthTest, IsUnauthorizedInOneWord) {
  for (const Json& headers :
       {Json::object(), Json(nullptr), Json::object({{"Authorization", "Bearer x.y.z"}}),
        Json::object({{"Authorization", "Basic " + token()}}), Json::object({{"Authorization", token()}}),
        Json::object({{"X-API-Key", "sbk.42.wrong"}}), Json::object({{"X-API-Key", "sbk..secret"}}),
        Json::object({{"X-API-Key", "sbk.4:2.x"}}), Json::object({{"X-API-Key", "sbk.42"}}),
        Json::object({{"X-API-Key", "sbk.42." + std::string(300, 'a')}})}) {
    auto policy = ask(headers);
    ASSERT_FALSE(policy) << headers.dump();
    EXPECT_EQ(policy.error().message, "Unauthorized");
  }
}

TEST_F(AuthTest, ABadTokenIsNotSavedByAGoodKey) {
  EXPECT_FALSE(ask(Json::object({{"Authorization", "Bearer x.y.z"}, {"X-API-Key", kKey}})));
}

TEST_F(AuthTest, ADatabaseThatIsDownIsNotAWrongKey) {
  lookup_error = Errc::kUnavailable;
  auto policy = ask(Json::object({{"X-API-Key", "sbk.42.other"}}));
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().message, "Unauthorized");
}

TEST_F(AuthTest, AsksNobodyAboutKeysThatCannotBe) {
  (void)ask(Json::object({{"X-API-Key", "nonsense"}}));
  EXPECT_EQ(looked_up, 0);
}

}  // namespace
}  // namespace securebase::auth
