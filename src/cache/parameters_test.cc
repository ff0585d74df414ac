#include "cache/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/conf.h"

namespace securebase::cache {
namespace {

using testing::HasSubstr;
using testing::Not;

const RedisSettings kDefaults = {
    {"maxmemory-policy", "volatile-lru"},
    {"timeout", "0"},
    {"hash-max-listpack-entries", "512"},
    {"client-output-buffer-limit", "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"}};

std::string wrong(std::string_view name, std::string_view value) {
  const auto right = check_parameter(name, value);
  return right ? "" : right.error().message;
}

TEST(Parameter, ThatTheFamilyDoesNotHaveIsNamedWithTheNearestOne) {
  EXPECT_EQ(wrong("maxmemory-polici", "noeviction"),
            "\"maxmemory-polici\" is no parameter of the family redis7. Did you mean \"maxmemory-policy\"?");
  EXPECT_THAT(wrong("requirepass", "x"), HasSubstr("is no parameter"));
  EXPECT_THAT(wrong("dir", "/"), HasSubstr("is no parameter"));
}

TEST(Parameter, OutOfItsRangeIsNamedWithTheRange) {
  EXPECT_EQ(wrong("reserved-memory-percent", "101"),
            "reserved-memory-percent is \"101\"; expected a whole number, 0 to 100.");
  EXPECT_THAT(wrong("maxmemory-policy", "lru"), HasSubstr("maxmemory-policy is \"lru\"; expected one of allkeys-lfu"));
  EXPECT_THAT(wrong("activerehashing", "true"), HasSubstr("expected yes or no"));
  EXPECT_THAT(wrong("notify-keyspace-events", "KEy"), HasSubstr("expected letters of"));
  EXPECT_THAT(wrong("timeout", "1s"), HasSubstr("timeout is \"1s\""));
  EXPECT_THAT(wrong("timeout", ""), HasSubstr("timeout is \"\""));
  EXPECT_THAT(wrong("timeout", "99999999999999999999"), HasSubstr("timeout"));
  EXPECT_EQ(wrong("timeout", "300"), "");
  EXPECT_EQ(wrong("list-max-listpack-size", "-2"), "");
  EXPECT_EQ(wrong("notify-keyspace-events", ""), "");
}

TEST(Parameter, ThatIsKnownAndNotActedOnSaysWhy) {
  EXPECT_EQ(wrong("appendonly", "yes"), "");
  EXPECT_NE(why_not_honoured("appendonly"), "");
  EXPECT_EQ(why_not_honoured("timeout"), "");
}

TEST(LiveSettings, AreTheGroupsOverTheDefaults) {
  const auto settings = live_settings({{"timeout", "300"}}, kDefaults);
  EXPECT_EQ(settings.at("timeout"), "300");
  EXPECT_EQ(settings.at("maxmemory-policy"), "volatile-lru");
  EXPECT_EQ(live_settings({}, kDefaults).at("timeout"), "0") << "what a group no longer has is the default again";
}

TEST(LiveSettings, KnowTheOlderNameOfTheSameSetting) {
  EXPECT_EQ(live_settings({{"hash-max-ziplist-entries", "64"}}, kDefaults).at("hash-max-listpack-entries"), "64");
}

TEST(LiveSettings, PutBufferLimitsIntoTheirPlaces) {
  const auto settings = live_settings({{"client-output-buffer-limit-pubsub-hard-limit", "1048576"},
                                       {"client-output-buffer-limit-replica-soft-seconds", "5"}},
                                      kDefaults);
  EXPECT_EQ(settings.at("client-output-buffer-limit"),
            "normal 0 0 0 slave 268435456 67108864 5 pubsub 1048576 8388608 60");
}

TEST(StartSettings, AreThoseThatRedisCannotChangeRunning) {
  EXPECT_EQ(start_settings({{"databases", "32"}, {"timeout", "3"}}), (RedisSettings{{"databases", "32"}}));
}

TEST(DataBytes, LeaveWhatIsReserved) {
  EXPECT_EQ(data_bytes(100 << 20, {}), std::uint64_t{(100 << 20) - (100 << 20) / 100 * 25});
  EXPECT_EQ(data_bytes(100 << 20, {{"reserved-memory-percent", "0"}}), std::uint64_t{100 << 20});
  EXPECT_EQ(data_bytes(100 << 20, {{"reserved-memory", "1048576"}}), std::uint64_t{99 << 20});
  EXPECT_GE(data_bytes(100 << 20, {{"reserved-memory-percent", "100"}}), 1U) << "0 would be no limit";
  EXPECT_GE(data_bytes(100 << 20, {{"reserved-memory", "999999999999"}}), 1U);
}

TEST(Maxmemory, IsTheNodeTypesAtMostAShareOfTheMachine) {
  Cluster cluster;
  cluster.parameters = {{"reserved-memory-percent", "0"}};
  cluster.node_bytes = 1000;
  EXPECT_EQ(maxmemory_of(cluster, std::uint64_t{1} << 40, 0.25), std::uint64_t{1 << 20}) << "the least there is";
  cluster.node_bytes = std::uint64_t{13} << 30;
  EXPECT_EQ(maxmemory_of(cluster, std::uint64_t{8} << 30, 0.25), std::uint64_t{2} << 30);
  EXPECT_EQ(maxmemory_of(cluster, std::uint64_t{64} << 30, 0.25), std::uint64_t{13} << 30);
}

TEST(RedisConf, QuotesWhatWouldBreakOutOfItsLine) {
  Cluster cluster;
  const auto text = redis_conf(cluster, "127.0.0.1", {"/var/lib/a\"b\\c\nrequirepass x"}, {"own", ""}, {});
  EXPECT_THAT(text, HasSubstr("dir \"/var/lib/a\\\"b\\\\c\\x0arequirepass x\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("\nrequirepass")));
}

TEST(RedisConf, HoldsNoTokenInClear) {
  Cluster cluster;
  cluster.tls = true;
  cluster.port = 6380;
  cluster.auth_token = "a-token-of-sixteen-or-more";
  const auto text = redis_conf(cluster, "127.0.0.1", {"/d"}, {"own-password", "previous-token"}, {{"timeout", "5"}});
  EXPECT_THAT(text, Not(HasSubstr("a-token")));
  EXPECT_THAT(text, Not(HasSubstr("own-password")));
  EXPECT_THAT(text, Not(HasSubstr("previous-token")));
  EXPECT_THAT(text, HasSubstr("port \"0\"\ntls-port \"6380\"\n"));
  EXPECT_THAT(text, HasSubstr("timeout \"5\"\n"));
}

TEST(RedisConf, ListensInClearOnlyWithoutTls) {
  Cluster cluster;
  const auto text = redis_conf(cluster, "127.0.0.1", {"/d"}, {}, {});
  EXPECT_THAT(text, HasSubstr("port \"6379\"\n"));
  EXPECT_THAT(text, Not(HasSubstr("tls-")));
}

TEST(TokenRules, AreOfBothTokensWhileAnOldOneHolds) {
  EXPECT_EQ(token_rules("", ""), (std::vector<std::string>{"on", "resetpass", "nopass"}));
  EXPECT_EQ(token_rules("new", "").size(), 3U);
  EXPECT_EQ(token_rules("new", "old").size(), 4U);
  EXPECT_EQ(token_rules("same", "same").size(), 3U);
}

}  // namespace
}  // namespace securebase::cache
