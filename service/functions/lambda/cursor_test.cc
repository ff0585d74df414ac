#include "lambda/cursor.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace securebase::lambda {
namespace {

TEST(Cursor, ComesBackAsItWas) {
  for (const Cursor& cursor : {Cursor{"2026-01-01", "inv-42-202601"}, Cursor{"2026-01-01 10:00:00.25+00", "t|1"}}) {
    auto again = Cursor::parse(cursor.encode());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->at, cursor.at);
    EXPECT_EQ(again->id, cursor.id);
  }
}

TEST(Cursor, RefusesWhatItDidNotGive) {
  for (const std::string& text : {std::string(), std::string("%%%"), base::base64url("no bar"), base::base64url("|x"),
                                  base::base64url("2026-01-01|"), base::base64url("2026-01-01'; DROP|x"),
                                  base::base64url(std::string("2026-01-01|a\0b", 14)), std::string(500, 'A')}) {
    EXPECT_FALSE(Cursor::parse(text)) << text;
  }
}

}  // namespace
}  // namespace securebase::lambda
