// The real PostgreSQL: roles with hostile names, migrations, parameters, kills. One server for all tests of the file.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "base/random.h"
#include "database/config.h"
#include "database/connection.h"
#include "database/logs.h"
#include "database/metrics.h"
#include "database/migrations.h"
#include "net/tls.h"

namespace securebase::database {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin";

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = 60s) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

// A client over the network, by TLS and password.
struct Client {
  PGconn* connection;
  Client(std::uint16_t port, const std::string& user, const std::string& password, const std::string& database) {
    const std::string text = std::to_string(port);
    const char* names[] = {"host", "port", "user", "password", "dbname", "sslmode", nullptr};
    const char* values[] = {"127.0.0.1",      text.c_str(), user.c_str(), password.c_str(),
                            database.c_str(), "require",    nullptr};
    connection = PQconnectdbParams(names, values, 0);
  }
  ~Client() { PQfinish(connection); }
  bool connected() const { return PQstatus(connection) == CONNECTION_OK; }
  // The first value, or the error.
  std::string ask(const std::string& sql) {
    PGresult* answer = PQexec(connection, sql.c_str());
    const auto status = PQresultStatus(answer);
    std::string text = status == PGRES_TUPLES_OK && PQntuples(answer) > 0        ? PQgetvalue(answer, 0, 0)
                       : status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? ""
                                                                                 : PQresultErrorMessage(answer);
    PQclear(answer);
    return text;
  }
};

struct World {
  fs::path directory = fs::temp_directory_path() / ("database-test-" + base::random_hex(8));
  std::unique_ptr<process::Supervisor> supervisor;
  telemetry::Registry registry;
  std::map<std::string, std::string> secrets;
  std::unique_ptr<Database> database;
  std::uint16_t port = free_port();

  World() {
    fs::create_directories(directory / "schema");
    fs::permissions(directory, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    auto started = process::Supervisor::start();
    if (!started) return;
    supervisor = std::move(*started);
    auto authority = net::make_authority("test");
    auto certificate = net::issue_certificate(*authority, {"localhost"});
    Settings settings;
    settings.directory = directory / "database";
    settings.logs = directory / "logs";
    settings.certificate_chain_pem = certificate->chain_pem;
    settings.certificate_key_pem = certificate->key_pem;
    settings.shared_buffers_bytes = 16 << 20;
    settings.max_connections = 20;
    Doors doors{
        .supervisor = *supervisor,
        .secret = [this](std::string_view name) -> Result<std::string> {
          const auto found = secrets.find(std::string(name));
          if (found == secrets.end()) return Error{Errc::kNotFound, "no such secret"};
          return found->second;
        },
        .derive = [](std::string_view address, std::size_t length,
                     std::string_view) { return std::string(address.substr(0, 4)) + std::string(length - 4, 'p'); },
        .keep_secret = [this](const std::string& name, const std::string& arn,
                              const std::string& text) -> Result<Done> {
          secrets[name] = secrets[arn] = text;
          return Done{};
        },
        .registry = &registry};
    database = Database::make(std::move(settings), std::move(doors));
  }
  ~World() {
    database.reset();
    supervisor.reset();
    fs::remove_all(directory);
  }
};

class RealPostgresql : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!fs::exists(fs::path(kPrograms) / "postgres")) return;
    if (geteuid() == 0 && !process::unprivileged("postgres")) return;
    world = new World;
  }
  static void TearDownTestSuite() {
    delete world;
    world = nullptr;
  }
  void SetUp() override {
    if (world == nullptr || !world->database) GTEST_SKIP() << "no PostgreSQL 15 here";
    cluster_.identifier = "test";
    cluster_.host = "127.0.0.1";
    cluster_.port = world->port;
    cluster_.master_username = "owner";
    cluster_.master_password = "owner-password";
    // Each test has a database of its own.
    cluster_.database = std::string("d_") + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::transform(cluster_.database.begin(), cluster_.database.end(), cluster_.database.begin(), ::tolower);
    cluster_.database = cluster_.database.substr(0, 60);
    cluster_.instances = {{"test-1", "arn:1", "db-1", "db.serverless", ""}};
    schema_ = world->directory / cluster_.database;
    fs::create_directories(schema_);
  }

  Result<Done> apply() {
    auto config = std::make_shared<Config>();
    config->cluster = cluster_;
    return world->database->apply(std::move(config));
  }
  void migration(const std::string& name, const std::string& text) { std::ofstream(schema_ / name) << text; }
  std::string as_superuser(const std::string& sql, const std::string& database = "postgres") {
    auto connection = Connection::open(world->database->socket_directory(), cluster_.port, database);
    if (!connection) return connection.error().message;
    auto rows = connection->run(sql);
    if (!rows) return rows.error().message;
    return rows->empty() ? "" : (*rows)[0][0];
  }
  Client owner() { return {cluster_.port, "owner", "owner-password", cluster_.database}; }

  static World* world;
  Cluster cluster_;
  fs::path schema_;
};
World* RealPostgresql::world = nullptr;

#define ASSERT_APPLIED()                             \
  do {                                               \
    const auto applied = apply();                    \
    ASSERT_TRUE(applied) << applied.error().message; \
  } while (false)

TEST_F(RealPostgresql, MakesRolesWhateverTheirNamesAndPasswordsHold) {
  for (const auto& [name, password] :
       std::vector<std::pair<std::string, std::string>>{{"a\"; DROP ROLE owner; --", "p'; DROP ROLE owner; --"},
                                                        {"back\\slash'quote", "back\\slash \\'x"},
                                                        {"n\xc3\xa4me \xe2\x82\xac", "p\xc3\xa4ss \xf0\x9f\x94\x92"},
                                                        {"$1", "$$"}}) {
    world->secrets["app"] = base::Json::object({{"username", name}, {"password", password}}).dump();
    cluster_.app_credentials = "app";
    ASSERT_APPLIED();
    Client client(cluster_.port, name, password, cluster_.database);
    ASSERT_TRUE(client.connected()) << name << ": " << PQerrorMessage(client.connection);
    EXPECT_EQ(client.ask("SELECT current_user"), name);
    EXPECT_EQ(client.ask("SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user"), "false");
    EXPECT_FALSE(Client(cluster_.port, name, password + "x", cluster_.database).connected());
  }
  EXPECT_EQ(as_superuser("SELECT count(*) FROM pg_roles WHERE rolname = 'owner'"), "1");
}

TEST_F(RealPostgresql, RefusesSecretsThatAreNoCredentials) {
  cluster_.app_credentials = "app";
  for (const char* text : {"", "{}", "[]", R"({"username":"x"})", R"({"username":"postgres","password":"x"})",
                           R"({"username":"owner","password":"x"})"}) {
    world->secrets["app"] = text;
    const auto done = apply();
    ASSERT_FALSE(done) << text;
    EXPECT_THAT(done.error().message, HasSubstr("the secret app has to be"));
  }
}

TEST_F(RealPostgresql, MakesThePasswordThatRdsManages) {
  cluster_.master_password.clear();
  cluster_.managed = {"aws_rds_cluster.main", "rds!cluster-1", "arn:secret"};
  ASSERT_APPLIED();
  auto kept = base::Json::parse(world->secrets.at("arn:secret"));
  ASSERT_TRUE(kept);
  EXPECT_EQ((*kept)["username"].string_or(""), "owner");
  EXPECT_TRUE(
      Client(cluster_.port, "owner", std::string((*kept)["password"].string_or("")), cluster_.database).connected());
}

TEST_F(RealPostgresql, LetsNobodyInInClearOrAsTheSuperuser) {
  ASSERT_APPLIED();
  EXPECT_FALSE(Client(cluster_.port, "postgres", "", "postgres").connected());
  const std::string port = std::to_string(cluster_.port);
  const char* names[] = {"host", "port", "user", "password", "dbname", "sslmode", nullptr};
  const char* values[] = {"127.0.0.1", port.c_str(), "owner", "owner-password", "postgres", "disable", nullptr};
  PGconn* clear = PQconnectdbParams(names, values, 0);
  EXPECT_NE(PQstatus(clear), CONNECTION_OK);
  PQfinish(clear);
}

TEST_F(RealPostgresql, AppliesMigrationsInOrderAndOnce) {
  migration("0002_rows.sql", "INSERT INTO t VALUES (2);");
  migration("0001_table.sql", "CREATE TABLE t (n int); INSERT INTO t VALUES (1);");
  cluster_.schema = schema_;
  ASSERT_APPLIED();
  ASSERT_APPLIED();
  EXPECT_EQ(owner().ask("SELECT string_agg(n::text, ',' ORDER BY n) FROM t"), "1,2");
  EXPECT_EQ(owner().ask("SELECT string_agg(name, ',' ORDER BY applied_at) FROM securebase_migrations"),
            "0001_table.sql,0002_rows.sql");
  EXPECT_EQ(as_superuser("SELECT tableowner FROM pg_tables WHERE tablename = 't'", cluster_.database), "owner");
}

TEST_F(RealPostgresql, UndoesAFailingMigrationAndNamesFileAndLine) {
  migration("0001_table.sql", "CREATE TABLE t (n int);");
  migration("0002_wrong.sql", "INSERT INTO t VALUES (1);\n-- \xc3\xa4\nINSERT INTO nowhere VALUES (1);\n");
  cluster_.schema = schema_;
  const auto done = apply();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("0002_wrong.sql:3: ERROR:  relation \"nowhere\" does not exist"));
  EXPECT_EQ(owner().ask("SELECT count(*) FROM t"), "0") << "nothing of it is left";
  migration("0002_wrong.sql", "INSERT INTO t VALUES (1);");
  ASSERT_APPLIED();
  EXPECT_EQ(owner().ask("SELECT count(*) FROM t"), "1");
}

TEST_F(RealPostgresql, SaysWhichMigrationsAreLeftAndGoesBackWithoutThem) {
  migration("0001_table.sql", "CREATE TABLE t (n int);");
  cluster_.schema = schema_;
  const auto config = std::make_shared<Config>();
  config->cluster = cluster_;
  ASSERT_TRUE(world->database->apply(config));
  ASSERT_TRUE(world->database->drift(*config));
  EXPECT_TRUE(world->database->drift(*config)->empty());

  migration("0002_rows.sql", "INSERT INTO t VALUES (1);");
  migration("0003_wrong.sql", "INSERT INTO nowhere VALUES (1);");
  const auto left = world->database->drift(*config);
  ASSERT_TRUE(left) << left.error().message;
  ASSERT_EQ(left->size(), 1U);
  ASSERT_EQ((*left)[0].attributes.size(), 2U);
  EXPECT_EQ((*left)[0].attributes[0].path, "migrations[\"0002_rows.sql\"]");
  const auto done = apply();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("The migration before it was applied now, and stays"));
  EXPECT_TRUE(world->database->apply(config)) << "back to what was in force, whose migrations are there";
  migration("0001_table.sql", "CREATE TABLE t (n bigint);");
  EXPECT_EQ(world->database->drift(*config).error().code, Errc::kConflict);
}

TEST_F(RealPostgresql, LetsAProtectedClusterGoOnlyWhenItIsNotProtectedAnyMore) {
  cluster_.deletion_protection = true;
  ASSERT_APPLIED();
  const auto refused = world->database->drift(Config{});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("deletion_protection"));
  cluster_.deletion_protection = false;
  ASSERT_APPLIED();
  EXPECT_TRUE(world->database->drift(Config{}));
}

TEST_F(RealPostgresql, RefusesAMigrationThatWasChangedOrLostOrEndsItsTransaction) {
  migration("0001_table.sql", "CREATE TABLE t (n int);");
  cluster_.schema = schema_;
  ASSERT_APPLIED();
  migration("0001_table.sql", "CREATE TABLE t (n bigint);");
  auto done = apply();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("0001_table.sql was changed after it was applied"));
  fs::remove(schema_ / "0001_table.sql");
  done = apply();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("0001_table.sql was applied to this database and is not there any more"));
  migration("0001_table.sql", "CREATE TABLE t (n int);");
  migration("0002_commit.sql", "INSERT INTO t VALUES (1); COMMIT;");
  done = apply();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("0002_commit.sql ends its own transaction"));
}

TEST_F(RealPostgresql, RefusesNamesThatHaveNoOrder) {
  cluster_.schema = schema_;
  migration("first.sql", "SELECT 1");
  EXPECT_THAT(apply().error().message, HasSubstr("a migration is called NNNN_name.sql"));
  fs::remove(schema_ / "first.sql");
  migration("0001_a.sql", "SELECT 1");
  migration("0001_b.sql", "SELECT 1");
  EXPECT_THAT(apply().error().message, HasSubstr("have the same number"));
}

TEST_F(RealPostgresql, ResumesMigrationsAfterAKillInOne) {
  migration("0001_table.sql", "CREATE TABLE t (n int);");
  migration("0002_slow.sql", "INSERT INTO t VALUES (1);\nSELECT pg_sleep(30);");
  ASSERT_APPLIED();  // without them, so that the server runs
  const auto pid = world->database->status().pid;
  cluster_.schema = schema_;
  Result<Done> done = Done{};
  std::thread applying([&] { done = apply(); });
  ASSERT_TRUE(eventually([&] {
    return as_superuser(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> "
               "pg_backend_pid()") == "1";
  }));
  kill(pid, SIGKILL);
  applying.join();
  EXPECT_FALSE(done);
  ASSERT_TRUE(eventually([&] {
    const auto status = world->database->status();
    return status.state == process::State::kReady && status.pid != pid;
  }));
  migration("0002_slow.sql", "INSERT INTO t VALUES (2);");
  ASSERT_APPLIED();
  EXPECT_EQ(owner().ask("SELECT string_agg(n::text, ',') FROM t"), "2") << "of the killed one nothing is left";
  EXPECT_EQ(owner().ask("SELECT count(*) FROM securebase_migrations"), "2");
}

TEST_F(RealPostgresql, KeepsEveryAcknowledgedRowThroughAKill) {
  ASSERT_APPLIED();
  owner().ask("CREATE TABLE t (n int)");
  const auto pid = world->database->status().pid;
  int acknowledged = 0;
  {
    Client client = owner();
    std::thread killer([&] {
      std::this_thread::sleep_for(300ms);
      kill(pid, SIGKILL);
    });
    while (client.ask(fmt::format("INSERT INTO t VALUES ({})", acknowledged + 1)).empty()) ++acknowledged;
    killer.join();
  }
  ASSERT_TRUE(eventually([&] {
    const auto status = world->database->status();
    return status.state == process::State::kReady && status.pid != pid;
  }));
  EXPECT_GT(acknowledged, 0);
  EXPECT_EQ(owner().ask(fmt::format("SELECT count(*) FROM generate_series(1, {}) n JOIN t USING (n)", acknowledged)),
            std::to_string(acknowledged));
}

TEST_F(RealPostgresql, ReloadsOrRestartsForAChangedParameter) {
  ASSERT_APPLIED();
  const auto pid = world->database->status().pid;
  cluster_.parameters = {{"work_mem", "12MB"}, {"log_min_duration_statement", "100"}};
  ASSERT_APPLIED();
  EXPECT_EQ(world->database->status().pid, pid) << "reloaded";
  EXPECT_EQ(owner().ask("SHOW work_mem"), "12MB");
  cluster_.parameters["max_connections"] = "30";
  ASSERT_APPLIED();
  EXPECT_NE(world->database->status().pid, pid) << "restarted";
  EXPECT_EQ(owner().ask("SHOW max_connections"), "30");
  cluster_.parameters.clear();
  ASSERT_APPLIED();
  EXPECT_EQ(owner().ask("SHOW max_connections"), "20");
  EXPECT_EQ(owner().ask("SHOW work_mem"), "4MB");
}

TEST_F(RealPostgresql, PutsSlowStatementsIntoTheirFile) {
  cluster_.parameters = {{"log_min_duration_statement", "50"}};
  ASSERT_APPLIED();
  owner().ask("SELECT pg_sleep(0.08), 'slow''\none' AS a");
  owner().ask("SELECT 'quick one'");
  auto& logs = world->database->logs();
  ASSERT_TRUE(logs.catch_up());
  const auto portion = logs.read("slowquery/postgresql-slowquery.log", "0", std::nullopt);
  ASSERT_TRUE(portion) << portion.error().message;
  EXPECT_THAT(portion->text, HasSubstr("owner@" + cluster_.database + ":["));
  EXPECT_THAT(portion->text, HasSubstr("statement: SELECT pg_sleep(0.08), 'slow''\n\tone' AS a\n"));
  EXPECT_THAT(portion->text, testing::Not(HasSubstr("quick")));
}

TEST_F(RealPostgresql, IsMeasured) {
  ASSERT_APPLIED();
  const telemetry::Dimensions of = {{"DBClusterIdentifier", "test"}};
  auto& times = world->registry.distribution(kQueryTime, of);
  Client client = owner();
  const auto queries = [&] {
    for (int i = 0; i < 10; ++i) client.ask("BEGIN; SELECT pg_sleep(0.02); COMMIT");
    return true;
  };
  const auto before = times.total();
  ASSERT_TRUE(eventually([&] { return queries() && times.total().count() > before.count(); }, 30s));
  EXPECT_GE(*times.total().percentile(50), 19.8) << "of the query, not of BEGIN and COMMIT";
  EXPECT_GE(*world->registry.distribution(kDatabaseConnections, of).total().maximum(), 1);
  EXPECT_GT(*world->registry.distribution(kFreeStorageSpace, of).total().minimum(), 0);
  EXPECT_GT(*world->registry.distribution(kVolumeBytesUsed, of).total().minimum(), 1 << 20);
  // PostgreSQL's sessions tell their counts once a second at most.
  auto& commits = world->registry.distribution(kCommitThroughput, of);
  EXPECT_TRUE(eventually([&] { return queries() && commits.total().maximum().value_or(0) > 0; }, 30s));
}

TEST_F(RealPostgresql, RebootsAndSaysSo) {
  ASSERT_APPLIED();
  const auto pid = world->database->status().pid;
  ASSERT_TRUE(world->database->reboot());
  EXPECT_TRUE(world->database->facts().rebooting);
  ASSERT_TRUE(eventually([&] { return !world->database->facts().rebooting; }));
  EXPECT_NE(world->database->status().pid, pid);
  EXPECT_EQ(world->database->status().state, process::State::kReady);
  EXPECT_THAT(world->database->facts().version, testing::StartsWith("15."));
  EXPECT_GT(world->database->facts().created.time_since_epoch().count(), 0);
}

}  // namespace
}  // namespace securebase::database

int main(int argc, char** argv) {
  if (const auto code = securebase::process::warden_main(argc, argv)) return *code;
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
