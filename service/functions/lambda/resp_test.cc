#include "lambda/resp.h"

#include <gtest/gtest.h>

namespace securebase::lambda {
namespace {

RespValue whole(std::string bytes) {
  auto reply = take_reply(bytes);
  check(reply && reply->has_value() && bytes.empty(), "one whole reply");
  return std::move(**reply);
}

Errc refused(std::string bytes) {
  auto reply = take_reply(bytes);
  check(!reply, "an error");
  return reply.error().code;
}

TEST(Resp, ReadsEveryType) {
  EXPECT_EQ(*whole("+OK\r\n").as_string(), "OK");
  EXPECT_EQ(whole("-ERR no\r\n").as_failure()->message, "ERR no");
  EXPECT_EQ(std::get<std::int64_t>(whole(":-7\r\n").value), -7);
  EXPECT_EQ(*whole("$5\r\na\r\nbc\r\n").as_string(), "a\r\nbc");
  EXPECT_EQ(*whole("$0\r\n\r\n").as_string(), "");
  EXPECT_TRUE(whole("$-1\r\n").is_nil());
  EXPECT_TRUE(whole("*-1\r\n").is_nil());
  EXPECT_EQ(std::get<std::vector<RespValue>>(whole("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n").value).size(), 2u);
}

TEST(Resp, GivesTheSameRepliesHoweverTheBytesAreCut) {
  const std::string bytes = "+OK\r\n$3\r\nabc\r\n*2\r\n$-1\r\n:12\r\n-ERR x\r\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    std::string buffer;
    int replies = 0;
    for (const auto& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
      buffer += piece;
      while (true) {
        auto reply = take_reply(buffer);
        ASSERT_TRUE(reply);
        if (!*reply) break;
        ++replies;
      }
    }
    EXPECT_EQ(replies, 4) << "cut at " << cut;
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(Resp, RefusesWhatIsNotRedis) {
  EXPECT_EQ(refused("HTTP/1.1 400\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused("\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused(":1x\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused("$-2\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused("*-5\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused("$3\r\nabcdef\r\n"), Errc::kMalformed);
  EXPECT_EQ(refused("$99999999999999999999\r\n"), Errc::kMalformed);
}

TEST(Resp, HoldsItsLimitsBeforeItAllocates) {
  EXPECT_EQ(refused("$9000000000\r\n"), Errc::kLimit);
  EXPECT_EQ(refused("*1000000000\r\n"), Errc::kLimit);
  EXPECT_EQ(refused("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"), Errc::kLimit);
  EXPECT_EQ(refused("+" + std::string(5000, 'a')), Errc::kLimit);
}

TEST(Resp, WritesCommandsThatCannotBeBrokenOutOf) {
  std::string out;
  append_command(out, {"GET", "a\r\nDEL b"});
  EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$8\r\na\r\nDEL b\r\n");
}

}  // namespace
}  // namespace securebase::lambda
