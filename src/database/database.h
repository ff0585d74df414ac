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

#include "base/result.h"
#include "process/process.h"
#include "stack/stack.h"

namespace securebase::database {

// Where the server is reached; computed attributes (endpoint, port) say the same.
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: the port that the cluster asks for, 5432 by default
};

// Adds the resource types that this room owns.
void declare(stack::Catalogue& catalogue, const Endpoint& endpoint = {});

// The cluster of a stack with its parameters, or none. Opaque here.
struct Config;
// Errors: a second cluster, an engine that is not PostgreSQL, a parameter that is the platform's own. One that PostgreSQL
// does not know is apply()'s error: the server itself knows best.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint = {});

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
};

class Database {
 public:
  static std::unique_ptr<Database> make(Settings settings, Doors doors);
  // Stops the server (fast shutdown) if it runs.
  virtual ~Database() = default;

  // Starts the server if need be and makes it what the stack asks for; returns when it is so. A changed parameter is
  // reloaded, or restarts the server when PostgreSQL cannot change it running. An error leaves no migration half done.
  virtual Result<Done> apply(std::shared_ptr<const Config> config) = 0;
  virtual void stop() = 0;

  virtual process::Status status() const = 0;
  // The directory of the private Unix socket: "host=" of a libpq connection as user postgres.
  virtual std::filesystem::path socket_directory() const = 0;
};

}  // namespace securebase::database
