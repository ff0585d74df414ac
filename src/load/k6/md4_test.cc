#include "k6/md4.h"

#include <gmock/gmock.h>

#include "base/encoding.h"

namespace securebase::k6 {
namespace {

std::string hex_of(std::string_view bytes) { return base::hex(bytes); }

TEST(Md4, IsTheOneOfTheRfc) {
  EXPECT_EQ(hex_of(md4("")), "31d6cfe0d16ae931b73c59d7e0c089c0");
  EXPECT_EQ(hex_of(md4("abc")), "a448017aaf21d8525fc10ae87aa6729d");
  EXPECT_EQ(hex_of(md4("12345678901234567890123456789012345678901234567890123456789012345678901234567890")),
            "e33b4ddc9c38f2199c3e7b164fcc0536");
}

// Around a block's end the padding takes one block more.
TEST(Md4, PadsAtTheEndOfABlock) {
  EXPECT_NE(md4(std::string(55, 'a')), md4(std::string(56, 'a')));
  EXPECT_EQ(md4(std::string(64, 'a')).size(), 16u);
}

TEST(Md4, HmacHashesALongKeyFirst) {
  const std::string longer(65, 'k');
  EXPECT_EQ(hmac_md4(longer, "text"), hmac_md4(md4(longer), "text"));
  EXPECT_NE(hmac_md4("k", "text"), md4("text"));
}

}  // namespace
}  // namespace securebase::k6
