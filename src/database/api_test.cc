// What RDS answers, of a database that the test is.
#include "database/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"
#include "database/config.h"
#include "database/logs.h"

namespace securebase::database {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using aws::Value;
using testing::HasSubstr;

class FakeDatabase final : public Database {
 public:
  FakeDatabase() : directory_(fs::temp_directory_path() / ("api-test-" + base::random_hex(8))), logs_(directory_) {
    fs::create_directories(directory_);
    Cluster cluster;
    cluster.identifier = "securebase-prod";
    cluster.arn = "arn:aws:rds:us-east-1:123456789012:cluster:securebase-prod";
    cluster.engine = "aurora-postgresql";
    cluster.host = "127.0.0.1";
    cluster.port = 5433;
    cluster.database = "securebase";
    cluster.master_username = "owner";
    cluster.parameter_group = "production";
    cluster.instances = {{"securebase-prod-instance-1", "arn:1", "db-1", "db.serverless", ""},
                         {"securebase-prod-instance-2", "arn:2", "db-2", "db.serverless", ""}};
    in_force.cluster = cluster;
    in_force.groups = {{ParameterGroup::Of::kCluster,
                        "production",
                        "aurora-postgresql15",
                        "x",
                        "arn:g",
                        {{"log_min_duration_statement", "100"}}}};
    state.state = process::State::kReady;
    known.version = "15.18";
    known.created = base::TimePoint(1'700'000'000s);
    known.storage_bytes = std::uint64_t{50} << 30;
  }
  ~FakeDatabase() override { fs::remove_all(directory_); }

  Result<std::vector<stack::Drifted>> drift(const Config&) const override { return std::vector<stack::Drifted>{}; }
  Result<Done> apply(std::shared_ptr<const Config>) override { return Done{}; }
  void stop() override {}
  Result<Done> reboot() override {
    ++reboots;
    if (refuses) return Error{Errc::kUnavailable, "no server runs"};
    known.rebooting = true;
    return Done{};
  }
  process::Status status() const override { return state; }
  std::shared_ptr<const Config> config() const override { return std::make_shared<Config>(in_force); }
  Facts facts() const override { return known; }
  Logs& logs() override { return logs_; }
  fs::path socket_directory() const override { return directory_; }

  void write_log(const std::string& text) { std::ofstream(directory_ / "postgresql.log", std::ios::app) << text; }

  process::Status state;
  Facts known;
  Config in_force;
  int reboots = 0;
  bool refuses = false;

 private:
  const fs::path directory_;
  Logs logs_;
};

class Rds : public testing::Test {
 protected:
  aws::Call call(Value input) {
    return {"rds",    "",     identity_, "us-east-1", "123456789012", "id", base::TimePoint{}, std::move(input),
            request_, nullptr};
  }
  template <class Operation>
  Value ask(Operation operation, Value input = Value::structure()) {
    auto outcome = operation(database_, call(std::move(input)));
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
    return outcome ? outcome->output : Value();
  }
  template <class Operation>
  aws::Fault fault(Operation operation, Value input) {
    auto outcome = operation(database_, call(std::move(input)));
    EXPECT_FALSE(outcome);
    return outcome ? aws::Fault{} : outcome.error();
  }

  FakeDatabase database_;
  const aws::Identity identity_;
  const http::Request request_;
};

Value named(const char* member, const char* value) { return Value::structure({{member, value}}); }

TEST_F(Rds, DescribesAnInstanceAsItIs) {
  const auto output = ask(describe_db_instances, named("DBInstanceIdentifier", "securebase-prod-instance-1"));
  ASSERT_EQ(output["DBInstances"].elements().size(), 1U);
  const auto& instance = output["DBInstances"].elements()[0];
  EXPECT_EQ(instance["DBInstanceStatus"].string_or(""), "available");
  EXPECT_EQ(instance["EngineVersion"].string_or(""), "15.18");
  EXPECT_EQ(instance["Endpoint"]["Port"].integer_or(0), 5433);
  EXPECT_EQ(instance["AllocatedStorage"].integer_or(0), 50);
  EXPECT_EQ(instance["InstanceCreateTime"].time_or({}), base::TimePoint(1'700'000'000s));
  EXPECT_EQ(instance["DBClusterIdentifier"].string_or(""), "securebase-prod");
}

TEST_F(Rds, AnswersTheClustersNameWithItsInstancesAsTheGuideAsks) {
  const auto output = ask(describe_db_instances, named("DBInstanceIdentifier", "securebase-prod"));
  EXPECT_EQ(output["DBInstances"].elements().size(), 2U);
  EXPECT_EQ(output["DBInstances"].elements()[0]["DBInstanceStatus"].string_or(""), "available");
}

TEST_F(Rds, TellsTheSupervisorsStateInRdsWords) {
  using process::State;
  const std::pair<State, const char*> words[] = {{State::kStarting, "starting"}, {State::kBackingOff, "rebooting"},
                                                 {State::kStopping, "stopping"}, {State::kStopped, "stopped"},
                                                 {State::kFailed, "failed"},     {State::kReady, "available"}};
  for (const auto& [state, word] : words) {
    database_.state.state = state;
    const auto output = ask(describe_db_clusters);
    EXPECT_EQ(output["DBClusters"].elements()[0]["Status"].string_or(""), word);
  }
}

TEST_F(Rds, NamesWhatItDoesNotFind) {
  EXPECT_EQ(fault(describe_db_instances, named("DBInstanceIdentifier", "other")).code, "DBInstanceNotFound");
  EXPECT_EQ(fault(describe_db_clusters, named("DBClusterIdentifier", "other")).code, "DBClusterNotFoundFault");
  EXPECT_EQ(fault(describe_db_log_files, named("DBInstanceIdentifier", "other")).code, "DBInstanceNotFound");
  EXPECT_EQ(fault(reboot_db_instance, named("DBInstanceIdentifier", "other")).code, "DBInstanceNotFound");
  EXPECT_EQ(fault(describe_db_parameters, named("DBParameterGroupName", "production")).code, "DBParameterGroupNotFound")
      << "it is a cluster's";
}

TEST_F(Rds, HasNothingOfAStackWithoutACluster) {
  database_.in_force = {};
  EXPECT_TRUE(ask(describe_db_instances)["DBInstances"].elements().empty());
  EXPECT_TRUE(ask(describe_db_clusters)["DBClusters"].elements().empty());
}

TEST_F(Rds, Filters) {
  const auto by = [](const char* name, const char* value) {
    return Value::structure(
        {{"Filters", Value::list({Value::structure({{"Name", name}, {"Values", Value::list({value})}})})}});
  };
  EXPECT_EQ(ask(describe_db_instances, by("db-cluster-id", "securebase-prod"))["DBInstances"].elements().size(), 2U);
  EXPECT_EQ(
      ask(describe_db_instances, by("db-instance-id", "SECUREBASE-PROD-INSTANCE-2"))["DBInstances"].elements().size(),
      1U);
  EXPECT_TRUE(ask(describe_db_instances, by("engine", "mysql"))["DBInstances"].elements().empty());
  EXPECT_EQ(fault(describe_db_instances, by("colour", "blue")).code, "InvalidParameterValue");
}

TEST_F(Rds, ListsLogFilesByTheirNames) {
  database_.write_log("2026-01-24 00:00:01 UTC:127.0.0.1(1):a@b:[2]:LOG:  duration: 123.4 ms  statement: SELECT 1\n");
  const auto all = ask(describe_db_log_files, named("DBInstanceIdentifier", "securebase-prod-instance-1"));
  EXPECT_EQ(all["DescribeDBLogFiles"].elements().size(), 2U);
  const auto slow = ask(describe_db_log_files, Value::structure({{"DBInstanceIdentifier", "securebase-prod-instance-1"},
                                                                 {"FilenameContains", "slowquery"},
                                                                 {"FileSize", 10}}));
  ASSERT_EQ(slow["DescribeDBLogFiles"].elements().size(), 1U);
  const auto& file = slow["DescribeDBLogFiles"].elements()[0];
  EXPECT_EQ(file["LogFileName"].string_or(""), "slowquery/postgresql-slowquery.log");
  EXPECT_GT(file["LastWritten"].integer_or(0), 1'700'000'000'000);
  const auto later =
      ask(describe_db_log_files, Value::structure({{"DBInstanceIdentifier", "securebase-prod-instance-1"},
                                                   {"FileLastWritten", file["LastWritten"].integer_or(0) + 1000}}));
  EXPECT_TRUE(later["DescribeDBLogFiles"].elements().empty());
}

TEST_F(Rds, DownloadsTheSlowQueryLogAtOnceAndInPortions) {
  const std::string one =
      "2026-01-24 00:00:01 UTC:127.0.0.1(1):a@b:[2]:LOG:  duration: 123.4 ms  statement: SELECT 1\n";
  database_.write_log(one + one + one);
  const auto input = [](Value marker) {
    Value made = Value::structure({{"DBInstanceIdentifier", "securebase-prod-instance-1"},
                                   {"LogFileName", "slowquery/postgresql-slowquery.log"},
                                   {"NumberOfLines", 2}});
    if (!marker.is_null()) made.set("Marker", marker);
    return made;
  };
  const auto first = ask(download_db_log_file_portion, input("0"));
  EXPECT_EQ(first["LogFileData"].string_or(""), one + one);
  EXPECT_TRUE(first["AdditionalDataPending"].bool_or(false));
  const auto second = ask(download_db_log_file_portion, input(first["Marker"]));
  EXPECT_EQ(second["LogFileData"].string_or(""), one);
  EXPECT_FALSE(second["AdditionalDataPending"].bool_or(true));
  EXPECT_EQ(ask(download_db_log_file_portion, input(Value()))["LogFileData"].string_or(""), one + one);
  EXPECT_EQ(fault(download_db_log_file_portion, input("x")).code, "InvalidParameterValue");
  EXPECT_EQ(fault(download_db_log_file_portion, Value::structure({{"DBInstanceIdentifier", "securebase-prod"},
                                                                  {"LogFileName", "../../secrets/master.key"}}))
                .code,
            "DBLogFileNotFoundFault");
  EXPECT_EQ(fault(download_db_log_file_portion, Value::structure({{"DBInstanceIdentifier", "securebase-prod"},
                                                                  {"LogFileName", "error/postgresql.log"},
                                                                  {"NumberOfLines", 0}}))
                .code,
            "InvalidParameterValue");
}

TEST_F(Rds, DescribesTheGroupsAndTheirParameters) {
  const auto groups = ask(describe_db_cluster_parameter_groups);
  ASSERT_EQ(groups["DBClusterParameterGroups"].elements().size(), 1U);
  EXPECT_EQ(groups["DBClusterParameterGroups"].elements()[0]["DBClusterParameterGroupName"].string_or(""),
            "production");
  const auto set = ask(describe_db_cluster_parameters,
                       Value::structure({{"DBClusterParameterGroupName", "production"}, {"Source", "user"}}));
  ASSERT_EQ(set["Parameters"].elements().size(), 1U);
  const auto& parameter = set["Parameters"].elements()[0];
  EXPECT_EQ(parameter["ParameterName"].string_or(""), "log_min_duration_statement");
  EXPECT_EQ(parameter["ParameterValue"].string_or(""), "100");
  EXPECT_EQ(parameter["ApplyType"].string_or(""), "dynamic");
}

TEST_F(Rds, PagesWhatIsLong) {
  std::size_t seen = 0;
  int pages = 0;
  for (std::string marker;; ++pages) {
    Value input = named("DBClusterParameterGroupName", "production");
    if (!marker.empty()) input.set("Marker", marker);
    const auto output = ask(describe_db_cluster_parameters, std::move(input));
    seen += output["Parameters"].elements().size();
    marker = output["Marker"].string_or("");
    if (marker.empty()) break;
  }
  EXPECT_GT(seen, 350U);
  EXPECT_GE(pages, 3);
  EXPECT_EQ(fault(describe_db_instances, named("Marker", "x")).code, "InvalidParameterValue");
  EXPECT_EQ(fault(describe_db_instances, Value::structure({{"MaxRecords", 5}})).code, "InvalidParameterValue");
}

TEST_F(Rds, Reboots) {
  const auto output = ask(reboot_db_instance, named("DBInstanceIdentifier", "securebase-prod-instance-1"));
  EXPECT_EQ(database_.reboots, 1);
  EXPECT_EQ(output["DBInstance"]["DBInstanceStatus"].string_or(""), "rebooting");
  database_.refuses = true;
  EXPECT_EQ(fault(reboot_db_instance, named("DBInstanceIdentifier", "securebase-prod")).code, "InvalidDBInstanceState");
}

}  // namespace
}  // namespace securebase::database
