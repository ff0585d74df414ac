#include "lambda/cursor.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace securebase::lambda {
namespace {

TEST(Cursor, ComesBackAsItWas) {
  for (const Cursor& cursor : {Cursor{"2026-01-01", "inv-42-202601"}, Cursor{"2026-01-01 10:00:00.25+00", "tkt_1"},
                               Cursor{"2024-02-29 23:59:59+00", "tkt-42-1"}}) {
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

// PostgreSQL would answer each of them with an error, which is no 400 any more.
TEST(Cursor, RefusesTimesAndIdsThatDoNotExist) {
  for (const char* text : {"2026-13-01|x", "2026-02-29|x", "0000-01-01|x", "-001-01-01|x", "9999999999|x",
                           "294277-01-01|x", "2026-01-01 |x", "2026-01-01 24:00:00+00|x", "2026-01-01 10:60:00+00|x",
                           "2026-01-01 10:00:00|x", "2026-01-01 10:00:00+99:99|x", "2026-01-01 10:00:00.+00|x",
                           "2026-01-01 10:00:00.1234567+00|x", "2026-01-01|\xff", "2026-01-01|x' OR 1=1"}) {
    EXPECT_FALSE(Cursor::parse(base::base64url(text))) << text;
  }
}

}  // namespace
}  // namespace securebase::lambda
