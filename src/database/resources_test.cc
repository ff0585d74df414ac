// Every rule of the RDS types, and every error.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "database/config.h"

namespace securebase::database {
namespace {

using testing::HasSubstr;

struct Outcome {
  std::string errors;
  stack::Stack stack;
  std::shared_ptr<const Config> config;
  const Cluster& cluster() const { return *config->cluster; }
};

Outcome read(const std::string& text, const Endpoint& endpoint = {}) {
  const auto directory = std::filesystem::temp_directory_path() / ("database-resources-" + base::random_hex(12));
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
    outcome.config = *config;
  }
  return outcome;
}

std::string cluster(const std::string& attributes, const std::string& name = "main") {
  return fmt::format(
      "resource \"aws_rds_cluster\" \"{}\" {{\n  cluster_identifier = \"securebase-{}\"\n"
      "  engine = \"aurora-postgresql\"\n{}\n}}\n",
      name, name, attributes);
}
std::string instance(const std::string& name, const std::string& attributes = "") {
  return fmt::format(
      "resource \"aws_rds_cluster_instance\" \"{0}\" {{\n  identifier = \"{0}\"\n"
      "  cluster_identifier = aws_rds_cluster.main.id\n  instance_class = \"db.serverless\"\n"
      "  engine = \"aurora-postgresql\"\n{1}\n}}\n",
      name, attributes);
}
std::string group(const std::string& type, const std::string& name, const std::string& parameter,
                  const std::string& value) {
  return fmt::format(
      "resource \"{}\" \"{}\" {{\n  name = \"{}\"\n  family = \"aurora-postgresql15\"\n  parameter {{\n    name = "
      "\"{}\"\n"
      "    value = \"{}\"\n  }}\n}}\n",
      type, name, name, parameter, value);
}
constexpr const char* kOfCluster = "aws_rds_cluster_parameter_group";
constexpr const char* kOfInstance = "aws_db_parameter_group";
const std::string kMaster = "master_username = \"owner\"\nmaster_password = \"secret-secret\"\n";

TEST(Resources, AreNamedWhereNoNameIsGiven) {
  const auto got = read(
      "resource \"aws_rds_cluster_parameter_group\" \"main\" {\n  name_prefix = \"tuned-\"\n"
      "  family = \"aurora-postgresql15\"\n  parameter {\n    name = \"work_mem\"\n    value = \"8MB\"\n  }\n}\n"
      "resource \"aws_rds_cluster\" \"main\" {\n  cluster_identifier_prefix = \"shop-\"\n"
      "  engine = \"aurora-postgresql\"\n" +
      kMaster + "db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.main.name\n}\n" +
      "resource \"aws_rds_cluster_instance\" \"main\" {\n  cluster_identifier = aws_rds_cluster.main.id\n"
      "  instance_class = \"db.serverless\"\n  engine = \"aurora-postgresql\"\n}\n");
  ASSERT_EQ(got.errors, "");
  EXPECT_THAT(got.cluster().identifier, testing::MatchesRegex("shop-[a-z0-9]{20}"));
  EXPECT_THAT(got.cluster().parameter_group, testing::MatchesRegex("tuned-[a-z0-9]{20}"));
  ASSERT_EQ(got.cluster().instances.size(), 1U);
  EXPECT_THAT(got.cluster().instances[0].identifier, testing::MatchesRegex("tf-[a-z0-9]{20}"));
}

TEST(Resources, GiveAClusterWithItsInstances) {
  const auto got = read(cluster(kMaster + "database_name = \"app\"") + instance("one") + instance("two"));
  ASSERT_EQ(got.errors, "");
  EXPECT_EQ(got.cluster().identifier, "securebase-main");
  EXPECT_EQ(got.cluster().arn, "arn:aws:rds:us-east-1:123456789012:cluster:securebase-main");
  EXPECT_EQ(got.cluster().database, "app");
  ASSERT_EQ(got.cluster().instances.size(), 2U);
  EXPECT_EQ(got.cluster().instances[0].identifier, "one");
  EXPECT_EQ(got.cluster().instances[0].arn, "arn:aws:rds:us-east-1:123456789012:db:one");
}

TEST(Resources, KnowOneServerOnly) {
  EXPECT_THAT(read(cluster("") + cluster("", "other")).errors, HasSubstr("would be a second PostgreSQL server"));
}

TEST(Resources, KnowPostgresqlOnly) {
  std::string text = cluster("");
  text.replace(text.find("aurora-postgresql"), 17, "aurora-mysql");
  EXPECT_THAT(read(text).errors, HasSubstr("there is aurora-postgresql"));
  text = cluster("") + group(kOfCluster, "a", "work_mem", "8MB");
  text.replace(text.find("aurora-postgresql15"), 19, "mysql8.0");
  EXPECT_THAT(read(text).errors,
              testing::AllOf(HasSubstr("for the engine \"mysql\""), HasSubstr("PostgreSQL 15 only")));
}

TEST(Resources, WantAPasswordForTheMaster) {
  EXPECT_THAT(read(cluster("master_username = \"owner\"")).errors, HasSubstr("neither master_password nor"));
  EXPECT_THAT(read(cluster("master_password = \"x\"")).errors, HasSubstr("A password needs a master_username."));
  EXPECT_THAT(read(cluster(kMaster + "manage_master_user_password = true")).errors,
              HasSubstr("Of master_password, master_password_wo"));
  EXPECT_THAT(read(cluster("master_username = \"postgres\"\nmaster_password = \"x\"")).errors,
              HasSubstr("is the server's own"));
  EXPECT_THAT(read(cluster("master_username = \"pg_monitor\"\nmaster_password = \"x\"")).errors,
              HasSubstr("is the server's own"));
}

TEST(Resources, MakeThePasswordWhereTheyAreAsked) {
  const std::string text = cluster("master_username = \"owner\"\nmanage_master_user_password = true") +
                           "output \"secret\" {\n  value = aws_rds_cluster.main.master_user_secret[0].secret_arn\n}\n";
  const auto got = read(text);
  ASSERT_EQ(got.errors, "");
  ASSERT_TRUE(got.cluster().managed);
  EXPECT_EQ(got.stack.outputs.at("secret").value.to_text(), got.cluster().managed->secret_arn);
  EXPECT_THAT(got.cluster().managed->secret_arn,
              testing::MatchesRegex("arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-[0-9a-f-]*"));
  EXPECT_THAT(got.cluster().managed->secret_name, testing::MatchesRegex("rds!cluster-[0-9a-f-]*"));
  EXPECT_EQ(got.cluster().managed->secret_name.size(), std::string("rds!cluster-").size() + 36);
  EXPECT_FALSE(read(cluster(kMaster)).cluster().managed);
}

TEST(Resources, PutAnInstancesParametersOverItsClusters) {
  const auto got = read(cluster(kMaster + "db_cluster_parameter_group_name = \"a\"") +
                        instance("one", "db_parameter_group_name = \"b\"") + group(kOfCluster, "a", "work_mem", "8MB") +
                        group(kOfInstance, "b", "work_mem", "16MB"));
  ASSERT_EQ(got.errors, "");
  EXPECT_EQ(got.cluster().parameters.at("work_mem"), "16MB");
  EXPECT_EQ(got.config->groups.size(), 2U);
}

TEST(Resources, NameTheNearestParameterGroup) {
  const auto text = group(kOfCluster, "production", "work_mem", "8MB");
  const auto got = read(cluster(kMaster + "db_cluster_parameter_group_name = \"prodution\"") + text);
  EXPECT_THAT(got.errors, HasSubstr("The parameter group of aws_rds_cluster.main is \"prodution\""));
  EXPECT_THAT(got.errors, HasSubstr("Did you mean \"production\"?"));
  EXPECT_EQ(read(cluster(kMaster + "db_cluster_parameter_group_name = \"default.aurora-postgresql15\"")).errors, "");
  EXPECT_THAT(read(cluster(kMaster) + instance("one", "db_parameter_group_name = \"production\"") + text).errors,
              HasSubstr("Unknown parameter group"))
      << "a cluster's group is none of an instance's";
}

TEST(Resources, LetAllInstancesHaveOneParameterGroup) {
  const auto got = read(cluster(kMaster) + instance("one", "db_parameter_group_name = \"a\"") +
                        instance("two", "db_parameter_group_name = \"b\"") +
                        group(kOfInstance, "a", "work_mem", "8MB") + group(kOfInstance, "b", "work_mem", "16MB"));
  EXPECT_THAT(got.errors, HasSubstr("Second parameter group"));
}

TEST(Resources, NameTheParameterThatIsWrong) {
  EXPECT_THAT(read(group(kOfCluster, "a", "work_men", "8MB")).errors, HasSubstr("Did you mean \"work_mem\"?"));
  EXPECT_THAT(read(group(kOfInstance, "a", "work_mem", "little")).errors, HasSubstr("work_mem is \"little\""));
  EXPECT_THAT(read(group(kOfInstance, "a", "listen_addresses", "*")).errors, HasSubstr("Reserved parameter"));
}

TEST(Resources, WantTheClusterOfAnInstance) {
  std::string lost = instance("one");
  lost.replace(lost.find("aws_rds_cluster.main.id"), 23, "\"nowhere\"");
  EXPECT_THAT(read(lost).errors, HasSubstr("No such cluster"));
  EXPECT_THAT(read(cluster("") + lost).errors, HasSubstr("there is \"securebase-main\""));
}

TEST(Resources, GiveTheOperatorsPortEverywhere) {
  const std::string text = cluster(kMaster + "port = 7000") + instance("one") +
                           "output \"cluster\" {\n  value = aws_rds_cluster.main.port\n}\n"
                           "output \"instance\" {\n  value = aws_rds_cluster_instance.one.port\n}\n";
  const auto stacks = read(text);
  EXPECT_EQ(stacks.cluster().port, 7000);
  EXPECT_EQ(stacks.stack.outputs.at("cluster").value.to_text(), "7000");
  EXPECT_EQ(stacks.stack.outputs.at("instance").value.to_text(), "7000");
  EXPECT_TRUE(notes(stacks.stack).empty());

  const Endpoint operators{.port = 6000};
  const auto got = read(text, operators);
  EXPECT_EQ(got.cluster().port, 6000);
  EXPECT_EQ(got.stack.outputs.at("cluster").value.to_text(), "6000");
  EXPECT_EQ(got.stack.outputs.at("instance").value.to_text(), "6000");
  const auto said = notes(got.stack, operators);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].reason, "--postgres-port 6000 takes the place of the stack's port 7000");
  EXPECT_EQ(read(cluster(kMaster)).cluster().port, 5432);
}

TEST(Resources, SayWhichParametersAreNotHonoured) {
  const auto got = read(cluster(kMaster) + group(kOfCluster, "a", "rds.force_ssl", "1"));
  ASSERT_EQ(got.errors, "");
  EXPECT_TRUE(got.config->groups[0].parameters.empty());
  ASSERT_EQ(notes(got.stack).size(), 1U);
  EXPECT_EQ(notes(got.stack)[0].attribute, "rds.force_ssl");
}

TEST(Resources, FindTheSchemaFromTheStack) {
  const auto got = read(cluster("tags = {\n \"securebase:schema\" = \"../schema\"\n}"));
  EXPECT_TRUE(got.cluster().schema.is_absolute());
  EXPECT_EQ(got.cluster().schema.filename(), "schema");
  EXPECT_EQ(read(cluster("tags = {\n \"securebase:schema\" = \"/srv/schema\"\n}")).cluster().schema, "/srv/schema");
}

}  // namespace
}  // namespace securebase::database
