#include "lambda/password.h"

#include <gtest/gtest.h>

namespace securebase::lambda {
namespace {

TEST(Password, MatchesItsOwnHashOnly) {
  const std::string hash = hash_password("correct horse");
  EXPECT_TRUE(password_matches("correct horse", hash));
  EXPECT_FALSE(password_matches("correct horse ", hash));
  EXPECT_FALSE(password_matches("", hash));
}

TEST(Password, IsSaltedAnew) { EXPECT_NE(hash_password("same"), hash_password("same")); }

// As in 0002_seed.sql, made by another implementation of scrypt (Python's hashlib).
TEST(Password, ReadsTheDemoAccounts) {
  EXPECT_TRUE(password_matches(
      "demo-42", "$scrypt$ln=15,r=8,p=1$MTyzTCuP0MkjoJjSbZFUrw$JFZzR6EdiXEzoa9nyGOgK8y5RvBF82/siV5BV2jwEQ0"));
}

TEST(Password, RefusesWhatIsNoHash) {
  for (const auto* hash :
       {"", "$scrypt$", "$scrypt$ln=15,r=8,p=1$", "$scrypt$ln=15,r=8,p=1$c2FsdA$", "plain",
        "$scrypt$ln=60,r=8,p=1$MTyzTCuP0MkjoJjSbZFUrw$JFZzR6EdiXEzoa9nyGOgK8y5RvBF82/siV5BV2jwEQ0"}) {
    EXPECT_FALSE(password_matches("plain", hash)) << hash;
  }
}

}  // namespace
}  // namespace securebase::lambda
