// Every rule of the ElastiCache types, and every error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "cache/conf.h"
#include "cache/config.h"

namespace securebase::cache {
namespace {

using testing::HasSubstr;

struct Outcome {
  std::string errors;
  stack::Stack stack;
  std::optional<Cluster> cluster;
};

Outcome read(const std::string& text, const Endpoint& endpoint = {}) {
  const auto directory = std::filesystem::temp_directory_path() / ("cache-resources-" + base::random_hex(12));
  std::filesystem::create_directories(directory);
  EXPECT_TRUE(base::replace_file(directory / "main.tf", text));
  stack::Catalogue catalogue;
  declare(catalogue, endpoint);
  auto loaded = stack::load({.directory = directory}, catalogue);
  std::filesystem::remove_all(directory);
  if (!loaded) return {stack::render(loaded.error()), {}, {}};
  Outcome outcome;
  outcome.stack = std::move(*loaded);
  auto config = configure(outcome.stack, endpoint);
  if (!config) {
    outcome.errors = stack::render(config.error());
  } else {
    outcome.cluster = (*config)->cluster;
  }
  return outcome;
}

std::string group(const std::string& attributes) {
  return fmt::format(
      "resource \"aws_elasticache_replication_group\" \"main\" {{\n  replication_group_id = \"securebase-prod-redis\"\n"
      "  description = \"x\"\n{}\n}}\n",
      attributes);
}

std::string parameters(const std::string& name, const std::string& blocks) {
  return fmt::format(
      "resource \"aws_elasticache_parameter_group\" \"main\" {{\n  name = \"{}\"\n  family = \"redis7\"\n{}\n}}\n",
      name, blocks);
}

TEST(Resources, GiveTheGuidesGroup) {
  const auto got = read(group("node_type = \"cache.r6g.large\"\nauth_token = \"0123456789abcdef\"\n"
                              "transit_encryption_enabled = true\nparameter_group_name = \"own\"") +
                        parameters("own", "parameter {\n name = \"maxmemory-policy\"\n value = \"allkeys-lru\"\n}"));
  ASSERT_EQ(got.errors, "");
  ASSERT_TRUE(got.cluster);
  EXPECT_EQ(got.cluster->id, "securebase-prod-redis");
  EXPECT_EQ(got.cluster->node(), "securebase-prod-redis-001");
  EXPECT_TRUE(got.cluster->tls);
  EXPECT_EQ(got.cluster->port, 6379);
  EXPECT_EQ(got.cluster->parameters.at("maxmemory-policy"), "allkeys-lru");
  EXPECT_EQ(got.cluster->new_token, Cluster::NewToken::kRotate);
}

TEST(Resources, ListenInClearWhereTheStackSaysSo) {
  EXPECT_FALSE(read(group("transit_encryption_enabled = false")).cluster->tls);
  EXPECT_FALSE(read(group("")).cluster->tls) << "ElastiCache's own default";
  EXPECT_TRUE(read(group("auth_token = \"0123456789abcdef\"")).cluster->tls);
  EXPECT_THAT(read(group("auth_token = \"0123456789abcdef\"\ntransit_encryption_enabled = false")).errors,
              HasSubstr("auth_token needs transit_encryption_enabled = true"));
}

TEST(Resources, RefuseAShortToken) {
  EXPECT_THAT(read(group("auth_token = \"short\"")).errors,
              HasSubstr("Inappropriate value for attribute \"auth_token\""));
}

TEST(Resources, KnowOneServerOnly) {
  const auto got = read(group("") + "resource \"aws_elasticache_cluster\" \"b\" {\n  cluster_id = \"b\"\n}\n");
  EXPECT_THAT(got.errors, HasSubstr("aws_elasticache_cluster.b would be a second Redis"));
}

TEST(Resources, KnowRedisOnly) { EXPECT_THAT(read(group("engine = \"memcached\"")).errors, HasSubstr("memcached")); }

TEST(Resources, NameTheNearestNodeType) {
  EXPECT_THAT(read(group("node_type = \"cache.r6g.larg\"")).errors, HasSubstr("Did you mean \"cache.r6g.large\"?"));
}

TEST(Resources, NameTheNearestParameterGroup) {
  const auto got = read(group("parameter_group_name = \"owm\"") + parameters("own", ""));
  EXPECT_THAT(got.errors, HasSubstr("The parameter group of aws_elasticache_replication_group.main is \"owm\""));
  EXPECT_THAT(got.errors, HasSubstr("Did you mean \"own\"?"));
  EXPECT_EQ(read(group("parameter_group_name = \"default.redis7\"")).errors, "");
}

TEST(Resources, NameTheParameterThatIsWrong) {
  const auto unknown = read(parameters("own", "parameter {\n name = \"maxmemory-polici\"\n value = \"noeviction\"\n}"));
  EXPECT_THAT(unknown.errors, HasSubstr("maxmemory-polici")) << "also where nobody uses the group";
  EXPECT_THAT(unknown.errors, HasSubstr("maxmemory-policy"));
  const auto wrong = read(parameters("own", "parameter {\n name = \"timeout\"\n value = \"-1\"\n}"));
  EXPECT_THAT(wrong.errors, HasSubstr("timeout is \"-1\"; expected a whole number, 0 to"));
}

TEST(Resources, GiveTheOperatorsPortEverywhere) {
  const std::string text =
      group("port = 7000") + "output \"port\" {\n value = aws_elasticache_replication_group.main.port\n}\n";
  const auto stacks = read(text);
  EXPECT_EQ(stacks.cluster->port, 7000);
  EXPECT_EQ(stacks.stack.outputs.at("port").value.to_text(), "7000");
  EXPECT_TRUE(notes(stacks.stack).empty());

  const Endpoint operators{.port = 6000};
  const auto got = read(text, operators);
  EXPECT_EQ(got.cluster->port, 6000);
  EXPECT_EQ(got.stack.outputs.at("port").value.to_text(), "6000");
  const auto said = notes(got.stack, operators);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].reason, "--redis-port 6000 takes the place of the stack's port 7000");
}

TEST(Resources, SayWhatThisMachineMakesOfTheNodeType) {
  const auto got = read(group("node_type = \"cache.r6g.16xlarge\""));
  const auto said = notes(got.stack);
  if (machine_bytes() > std::uint64_t{1600} << 30) GTEST_SKIP() << "this machine has as much";
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].attribute, "node_type");
  EXPECT_THAT(said[0].reason, HasSubstr("more than a quarter of this machine's"));
}

TEST(Resources, SayWhichParametersAreNotHonoured) {
  const auto got = read(parameters("own", "parameter {\n name = \"appendonly\"\n value = \"no\"\n}"));
  const auto said = notes(got.stack);
  // Without a cache there is nothing to say.
  EXPECT_TRUE(said.empty());
  const auto used = read(group("parameter_group_name = \"own\"") +
                         parameters("own", "parameter {\n name = \"appendonly\"\n value = \"no\"\n}"));
  ASSERT_EQ(notes(used.stack).size(), 1U);
  EXPECT_EQ(notes(used.stack)[0].attribute, "appendonly");
}

}  // namespace
}  // namespace securebase::cache
