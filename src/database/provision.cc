#include "database/provision.h"

#include <fmt/format.h>

#include "base/json.h"
#include "database/connection.h"
#include "database/migrations.h"

namespace securebase::database {

namespace {

// Makes the role, and sets its password, which may have changed.
Result<Done> make_role(Connection& connection, const std::string& name, const std::string& password,
                       std::string_view rights) {
  auto secret = connection.scram_secret(name, password);
  if (!secret) return secret.error();
  auto there = connection.run("SELECT 1 FROM pg_roles WHERE rolname = $1", {name});
  if (!there) return there.error();
  auto made = connection.run(fmt::format("{} ROLE {} LOGIN {} PASSWORD {}", there->empty() ? "CREATE" : "ALTER",
                                         connection.identifier(name), rights, connection.literal(*secret)));
  if (!made) return made.error().within(fmt::format("the role {}", name));
  return Done{};
}

Result<Done> make_app_role(Connection& connection, const Cluster& cluster, const Doors& doors) {
  if (cluster.app_credentials.empty()) return Done{};
  auto secret = doors.secret(cluster.app_credentials);
  if (!secret) return secret.error().within("the tag securebase:app-credentials");
  auto credentials = base::Json::parse(*secret);
  const std::string name(credentials ? (*credentials)["username"].string_or("") : "");
  const std::string password(credentials ? (*credentials)["password"].string_or("") : "");
  if (name.empty() || password.empty() || name == cluster.master_username || name == "postgres") {
    return Error{
        Errc::kMalformed,
        fmt::format("the secret {} has to be {{\"username\": ..., \"password\": ...}} of a role that is not the "
                    "cluster's own",
                    cluster.app_credentials)};
  }
  return make_role(connection, name, password, "NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS");
}

// RDS: at least eight printable characters without '/', '\'', '"' and '@'.
constexpr std::string_view kPasswordAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&*+-.:<=>?[]_{|}~";
constexpr std::size_t kPasswordLength = 28;

Result<std::string> master_password(const Cluster& cluster, const Doors& doors) {
  if (!cluster.managed) return cluster.master_password;
  if (!doors.derive || !doors.keep_secret) {
    return Error{Errc::kUnsupported, "manage_master_user_password needs a place for secrets"};
  }
  std::string password = doors.derive(cluster.managed->derivation, kPasswordLength, kPasswordAlphabet);
  const auto text = base::Json::object({{"username", cluster.master_username}, {"password", password}}).dump();
  auto kept = doors.keep_secret(cluster.managed->secret_name, cluster.managed->secret_arn, text);
  if (!kept) return kept.error().within("the secret of the master password");
  return password;
}

Result<Done> make_master_role(Connection& connection, const Cluster& cluster, const Doors& doors) {
  if (cluster.master_username.empty()) return Done{};
  auto password = master_password(cluster, doors);
  if (!password) return password.error();
  auto made = make_role(connection, cluster.master_username, *password, "CREATEROLE CREATEDB");
  if (!made) return made;
  // Aurora's master sees everybody's statements.
  auto granted = connection.run("GRANT pg_monitor TO " + connection.identifier(cluster.master_username));
  if (!granted) return granted.error();
  return Done{};
}

}  // namespace

Result<std::size_t> provision(const std::filesystem::path& socket_directory, const Cluster& cluster, const Doors& doors,
                              Migrations migrations, AppliedMigrations& applied) {
  auto connection = Connection::open(socket_directory, cluster.port, "postgres");
  if (!connection) return connection.error();
  if (auto made = make_master_role(*connection, cluster, doors); !made) return made.error();
  if (auto made = make_app_role(*connection, cluster, doors); !made) return made.error();
  constexpr const char* kStatistics = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements";
  if (auto made = connection->run(kStatistics); !made) return made.error();  // for the platform's own measurements
  if (cluster.database.empty()) return 0;

  auto there = connection->run("SELECT 1 FROM pg_database WHERE datname = $1", {cluster.database});
  if (!there) return there.error();
  if (there->empty()) {
    const std::string owner = cluster.master_username.empty() ? "postgres" : cluster.master_username;
    auto made = connection->run(fmt::format("CREATE DATABASE {} OWNER {}", connection->identifier(cluster.database),
                                            connection->identifier(owner)));
    if (!made) return made.error();
  }
  auto inside = Connection::open(socket_directory, cluster.port, cluster.database);
  if (!inside) return inside.error();
  if (auto made = inside->run(kStatistics); !made) return made.error();
  if (cluster.schema.empty() || migrations == Migrations::kLeave) return 0;

  auto files = read_migrations(cluster.schema);
  if (!files) return files.error();
  const std::string owner = cluster.master_username.empty() ? "postgres" : cluster.master_username;
  auto now = migrate(*inside, owner, *files, applied);
  if (!now) return now.error().within("migrations");
  return now;
}

}  // namespace securebase::database
