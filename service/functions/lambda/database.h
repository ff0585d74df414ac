// PostgreSQL for a function: one connection that outlives invocations, statements prepared once on it, and each call
// one transaction in one round trip.
//
// A call is a pipeline of "set the tenant" and the statement, closed by a Sync: PostgreSQL runs that as one implicit
// transaction, which an error rolls back whole (PostgreSQL documentation, 34.5). So there is no moment at which a
// transaction is open and nobody is working on it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct pg_conn;    // libpq's PGconn
struct pg_result;  // libpq's PGresult

namespace securebase::lambda {

struct DatabaseSettings {
  std::string host;
  std::uint16_t port = 5432;
  std::string name;
  // User, password and sslmode come from PGUSER, PGPASSWORD and PGSSLMODE, which libpq reads itself.
  std::chrono::seconds connect_timeout{2};
  // Of one statement, and less when the invocation's own deadline comes first. The server is told, and gives up too.
  std::chrono::milliseconds answer_timeout{25'000};
};

struct Statement {
  enum class Effect { kRead, kWrite };
  const char* name;  // unique in the program; the prepared statement's name
  const char* sql;
  Effect effect = Effect::kRead;
};

class Rows {
 public:
  explicit Rows(pg_result* result);  // takes ownership
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&& other) noexcept;
  ~Rows();

  int size() const;
  bool empty() const { return size() == 0; }
  bool is_null(int row, int column) const;
  std::string_view text(int row, int column) const;  // valid as long as the rows; empty for null

 private:
  pg_result* result_;
};

using Parameter = std::optional<std::string>;  // nullopt: null

class Database {
 public:
  explicit Database(DatabaseSettings settings);
  ~Database();

  // As the tenant `customer_id`: row level security lets through that customer's rows only. Empty: no tenant's rows.
  // A connection that has died is replaced. A statement is sent again only when it cannot have had an effect: it reads,
  // or the server said that it did not run.
  Result<Rows> run(std::string_view customer_id, const Statement& statement, const std::vector<Parameter>& parameters);

 private:
  enum class Again { kNo, kIfItOnlyReads, kYes };
  struct Failure {
    Error error;
    Again again;
  };

  Result<Done> connect();
  bool still_usable() const;
  Result<Rows, Failure> run_once(std::string_view customer_id, const Statement& statement,
                                 const std::vector<Parameter>& parameters);
  bool send(std::string_view customer_id, const Statement& statement, const std::vector<Parameter>& parameters,
            std::chrono::milliseconds timeout);
  Result<pg_result*> receive(std::chrono::steady_clock::time_point deadline);
  Result<Done> wait_readable(std::chrono::steady_clock::time_point deadline);
  void disconnect();

  const DatabaseSettings settings_;
  pg_conn* connection_ = nullptr;                // null: not connected
  std::set<std::string, std::less<>> prepared_;  // on this connection
};

}  // namespace securebase::lambda
