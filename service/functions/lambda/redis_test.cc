#include "lambda/redis.h"

#include <gtest/gtest.h>

#include "lambda/scripted_stream.h"

namespace securebase::lambda {
namespace {

using std::chrono::milliseconds;

struct RedisTest : testing::Test {
  base::ManualClock clock;
  Script script;
  bool reachable = true;
  int dials = 0;
  Redis redis{RedisSettings{.host = "cache", .password = "secret"},
              [this](base::SteadyPoint) -> Result<std::unique_ptr<Stream>> {
                ++dials;
                if (!reachable) return Error{Errc::kUnavailable, "connection refused"};
                return std::unique_ptr<Stream>(std::make_unique<ScriptedStream>(script));
              },
              clock};
};

TEST_F(RedisTest, SignsInWithItsFirstCommandAndOnce) {
  script.answers = {"+OK\r\n$1\r\nv\r\n", "$-1\r\n"};
  EXPECT_EQ(**redis.get("a"), "v");
  EXPECT_EQ(*redis.get("b"), std::nullopt);
  ASSERT_EQ(script.written.size(), 2u);
  EXPECT_TRUE(script.written[0].starts_with("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*2\r\n$3\r\nGET"));
  EXPECT_TRUE(script.written[1].starts_with("*2\r\n$3\r\nGET"));
}

TEST_F(RedisTest, ReplacesAConnectionThatDiedWhileItWasIdle) {
  script.answers = {"+OK\r\n+PONG\r\n", "", "+OK\r\n$1\r\nv\r\n"};
  EXPECT_TRUE(redis.ping());
  EXPECT_EQ(**redis.get("a"), "v");
  EXPECT_EQ(script.connections, 2);
}

TEST_F(RedisTest, LeavesADeadServerAloneForLongerEachTime) {
  reachable = false;
  EXPECT_FALSE(redis.get("a"));
  EXPECT_FALSE(redis.get("a"));
  EXPECT_EQ(dials, 1) << "not asked again at once";
  clock.advance(milliseconds{1000});
  EXPECT_FALSE(redis.get("a"));
  EXPECT_EQ(dials, 2);
  clock.advance(milliseconds{1000});
  EXPECT_FALSE(redis.get("a"));
  EXPECT_EQ(dials, 2) << "the pause has doubled";
  clock.advance(milliseconds{1000});
  reachable = true;
  script.answers = {"+OK\r\n$1\r\nv\r\n"};
  EXPECT_EQ(**redis.get("a"), "v");
}

TEST_F(RedisTest, NeverReusesAConnectionThatOwesAReply) {
  script.answers = {"+OK\r\n"};  // and then nothing: a timeout
  EXPECT_FALSE(redis.get("a"));
  clock.advance(milliseconds{1000});
  script.answers = {"+OK\r\n$1\r\nb\r\n"};
  EXPECT_EQ(**redis.get("b"), "b");
  EXPECT_EQ(script.connections, 2);
}

TEST_F(RedisTest, SaysThatThePasswordIsWrong) {
  script.answers = {"-WRONGPASS invalid username-password pair\r\n-NOAUTH Authentication required.\r\n"};
  auto got = redis.get("a");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::kDenied);
  EXPECT_NE(got.error().message.find("REDIS_AUTH_TOKEN"), std::string::npos);
}

TEST_F(RedisTest, PipelinesWritesOfSeveralKeys) {
  script.answers = {"+OK\r\n+OK\r\n+OK\r\n"};
  const std::vector<std::string> keys{"a", "b"};
  EXPECT_TRUE(redis.overwrite(keys, "-", std::chrono::seconds{10}));
  EXPECT_EQ(script.written.size(), 1u);
}

}  // namespace
}  // namespace securebase::lambda
