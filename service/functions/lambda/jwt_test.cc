#include "lambda/jwt.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::lambda {
namespace {

const std::string kSecret(32, 'k');
constexpr base::TimePoint kNow{std::chrono::seconds{1'769'212'800}};
const Claims kClaims{"usr_1", "42", "professional", "read write"};

// A token with our key over any header and payload.
std::string signed_token(std::string_view header, std::string_view payload) {
  const std::string text = base::base64url(header) + "." + base::base64url(payload);
  return text + "." + base::base64url(base::hmac_sha256(kSecret, text));
}

TEST(Jwt, GivesBackWhatWasSigned) {
  auto claims = verify_token(sign_token(kClaims, kSecret, kNow), kSecret, kNow);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->user_id, "usr_1");
  EXPECT_EQ(claims->customer_id, "42");
  EXPECT_EQ(claims->tier, "professional");
  EXPECT_EQ(claims->scope, "read write");
}

TEST(Jwt, EndsWithItsLifetime) {
  const std::string token = sign_token(kClaims, kSecret, kNow);
  EXPECT_TRUE(verify_token(token, kSecret, kNow + kTokenLifetime - std::chrono::seconds{1}));
  EXPECT_FALSE(verify_token(token, kSecret, kNow + kTokenLifetime));
}

TEST(Jwt, RefusesEverySingleChangedCharacter) {
  const std::string token = sign_token(kClaims, kSecret, kNow);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_token(changed, kSecret, kNow)) << "at " << i;
  }
}

TEST(Jwt, HasOneSpelling) {
  const std::string token = sign_token(kClaims, kSecret, kNow);
  EXPECT_FALSE(verify_token(token + "=", kSecret, kNow));
  std::string changed = token;
  for (char c = 'A'; c <= 'z'; ++c) {  // the last character has bits that mean nothing
    changed.back() = c;
    EXPECT_EQ(verify_token(changed, kSecret, kNow).has_value(), changed == token) << c;
  }
}

TEST(Jwt, RefusesAnotherKey) {
  EXPECT_FALSE(verify_token(sign_token(kClaims, kSecret, kNow), std::string(32, 'x'), kNow));
}

TEST(Jwt, DoesNotLetTheTokenChooseTheAlgorithm) {
  const std::string payload = R"({"iss":"securebase","customer_id":"42","exp":99999999999})";
  EXPECT_TRUE(verify_token(signed_token(R"({"alg":"HS256"})", payload), kSecret, kNow));
  EXPECT_FALSE(verify_token(signed_token(R"({"alg":"none"})", payload), kSecret, kNow));
  EXPECT_FALSE(verify_token(signed_token(R"({"alg":"hs256"})", payload), kSecret, kNow));
  EXPECT_FALSE(verify_token(signed_token(R"({"alg":"HS256","crit":["x"]})", payload), kSecret, kNow));
  EXPECT_FALSE(
      verify_token(base::base64url(R"({"alg":"none"})") + "." + base::base64url(payload) + ".", kSecret, kNow));
}

TEST(Jwt, RefusesSignedTokensThatSayTooLittle) {
  constexpr std::string_view kHeader = R"({"alg":"HS256"})";
  EXPECT_FALSE(verify_token(signed_token(kHeader, R"({"iss":"securebase","customer_id":"42"})"), kSecret, kNow));
  EXPECT_FALSE(verify_token(signed_token(kHeader, R"({"iss":"securebase","exp":99999999999})"), kSecret, kNow));
  EXPECT_FALSE(
      verify_token(signed_token(kHeader, R"({"iss":"other","customer_id":"42","exp":99999999999})"), kSecret, kNow));
  EXPECT_FALSE(verify_token(signed_token(kHeader, "not json"), kSecret, kNow));
}

TEST(Jwt, RefusesWhatIsNoToken) {
  for (const auto* text : {"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "%%.%%.%%"}) {
    EXPECT_FALSE(verify_token(text, kSecret, kNow)) << text;
  }
}

}  // namespace
}  // namespace securebase::lambda
