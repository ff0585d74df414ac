// The door of the database room: Aurora and RDS for PostgreSQL, as one managed PostgreSQL 15 server below
// <state>/database.
//
// The server listens on one TCP address with TLS and scram-sha-256 only. The platform's own superuser has no password:
// it comes in by a Unix socket in a directory that only the server's user may enter. What a stack's cluster asks for
// (database, roles, extension, migrations) is made by apply(), which may be repeated at any time and changes only what
// differs. docs/database.md.
//
// Threads: any; calls block (a first start for seconds), so they are not for a worker's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "process/process.h"
#include "process/server.h"
#include "stack/plan.h"
#include "stack/stack.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace securebase::aws {
class Operations;
}

namespace securebase::database {

// Where the server is reached; computed attributes (endpoint, port) say the same.
using Endpoint = process::Endpoint;

// Adds the resource types that this room owns.
void declare(stack::Catalogue& catalogue, const Endpoint& endpoint = {});

// The cluster of a stack with its parameters, or none. Opaque here.
struct Config;
// Errors: a second cluster, an engine that is not PostgreSQL, an unknown parameter group, a parameter or value that
// PostgreSQL 15 does not have or that is the platform's own.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint = {});
// What `plan` and the start say about it besides: whose port wins, what is known and not honoured.
std::vector<stack::Finding> notes(const stack::Stack& stack, const Endpoint& endpoint = {});

struct Settings {
  std::filesystem::path directory;  // <state>/database
  std::filesystem::path logs;       // <state>/logs/database
  std::string user = "postgres";    // whom the server runs as when the platform is root
  std::filesystem::path programs = "/usr/lib/postgresql/15/bin";
  Endpoint endpoint;
  // The server's certificate for "localhost" and 127.0.0.1, leaf first, and its key.
  std::string certificate_chain_pem;
  std::string certificate_key_pem;
  std::uint64_t shared_buffers_bytes = std::uint64_t{128} << 20;
  int max_connections = 200;
};

struct Doors {  // all outlive the Database
  process::Supervisor& supervisor;
  // A secret's text by name or ARN (secrets/secrets.h): the application's role is made from one.
  std::function<Result<std::string>(std::string_view name_or_arn)> secret;
  // Secret text of an address, the same as long as the state directory lives: passwords that RDS makes.
  std::function<std::string(std::string_view address, std::size_t length, std::string_view alphabet)> derive;
  // Keeps such a password where clients find it; nothing happens when it is kept already.
  std::function<Result<Done>(const std::string& name, const std::string& arn, const std::string& text)> keep_secret;
  telemetry::Registry* registry = nullptr;  // null: nothing is recorded
  telemetry::LogSink* logs = nullptr;       // takes slow statements, to /aws/rds/cluster/CLUSTER/postgresql
  const base::Clock& clock = base::system_clock();
};

// What is known of the server itself rather than of the stack.
struct Facts {
  std::string version;              // "15.18"; empty: it has never run
  base::TimePoint created{};        // of the data directory
  std::uint64_t storage_bytes = 0;  // what the data directory can have: what it has, and what is free beside it
  bool rebooting = false;
  std::uint64_t connections = 0;      // of clients, when the server was last looked at, some seconds ago
  std::uint64_t max_connections = 0;  // 0: not known yet
};

class Logs;

class Database {
 public:
  static std::unique_ptr<Database> make(Settings settings, Doors doors);
  // Stops the server (fast shutdown) if it runs.
  virtual ~Database() = default;

  // Starts the server if need be and makes it what the stack asks for; returns when it is so. A changed parameter is
  // reloaded, or restarts the server when PostgreSQL cannot change it running. An error leaves no migration half done.
  // The configuration that was applied last may be given again, to go back to it: that is without migrations. Without a
  // cluster the server stops, and its data stays.
  virtual Result<Done> apply(std::shared_ptr<const Config> config) = 0;
  // What apply() would do that no attribute of the stack says: the migrations that are still to be applied. kConflict:
  // it would refuse a migration, or the cluster that is applied is protected from deletion. Reads the schema's files.
  virtual Result<std::vector<stack::Drifted>> drift(const Config& next) const = 0;
  virtual void stop() = 0;

  // Restarts the server; returns when that has begun. kUnavailable: none runs, or it restarts already.
  virtual Result<Done> reboot() = 0;

  virtual process::Status status() const = 0;
  // What was applied last; null: nothing yet.
  virtual std::shared_ptr<const Config> config() const = 0;
  virtual Facts facts() const = 0;
  virtual Logs& logs() = 0;
  // The directory of the private Unix socket: "host=" of a libpq connection as user postgres.
  virtual std::filesystem::path socket_directory() const = 0;
};

// The operations of RDS that it answers (api.cc). `database` outlives them.
void add_operations(aws::Operations& operations, Database& database);

}  // namespace securebase::database
