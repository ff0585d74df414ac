#include "lambda/database.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lambda/calls.h"
#include "lambda/environment.h"
#include "lambda/serve.h"

namespace securebase::lambda {

namespace {

using std::chrono::steady_clock;

// The time zone too, so that times come out in UTC whatever the server's setting is; and how long the statement may
// take, so that the server does not work on for a function that has gone.
constexpr Statement kSetTenant{"set_tenant",
                               "SELECT set_config('app.customer_id', $1, true), set_config('TimeZone', 'UTC', true), "
                               "set_config('statement_timeout', $2, true)"};

// Before the deadline, for the answer to be made and sent.
constexpr std::chrono::milliseconds kReserve{250};
constexpr std::chrono::milliseconds kLeastTimeout{50};

std::string reason(PGconn* connection) {
  std::string text = PQerrorMessage(connection);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string_view state_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state ? state : "";
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html
Errc code_for(std::string_view state) {
  if (state == "23505") return Errc::kConflict;  // unique_violation
  if (state == "42501") return Errc::kDenied;    // insufficient_privilege, row level security
  if (state == "57014") return Errc::kTimeout;   // query_canceled: statement_timeout
  if (state.starts_with("57P") || state.starts_with("53")) return Errc::kUnavailable;  // shutting down; no resources
  return Errc::kIo;
}

// The prepared statement is gone (another server behind a pooler) or its plan no longer fits the schema.
bool must_be_prepared_again(std::string_view state) { return state == "26000" || state == "0A000"; }

}  // namespace

Rows::Rows(pg_result* result) : result_(result) {}
Rows::Rows(Rows&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
Rows& Rows::operator=(Rows&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}
Rows::~Rows() { PQclear(result_); }
int Rows::size() const { return PQntuples(result_); }
bool Rows::is_null(int row, int column) const { return PQgetisnull(result_, row, column) != 0; }
std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_, row, column), static_cast<std::size_t>(PQgetlength(result_, row, column))};
}

Database::Database(DatabaseSettings settings) : settings_(std::move(settings)) {}

Database::~Database() { disconnect(); }

void Database::disconnect() {
  PQfinish(connection_);
  connection_ = nullptr;
  prepared_.clear();
}

Result<Done> Database::connect() {
  disconnect();
  const std::string port = std::to_string(settings_.port);
  const std::string timeout = std::to_string(settings_.connect_timeout.count());
  const std::string name = variable_or("AWS_LAMBDA_FUNCTION_NAME", "securebase");
  const char* const keywords[] = {
      "host", "port", "dbname", "connect_timeout", "fallback_application_name", "gssencmode", "client_encoding",
      nullptr};
  const char* const values[] = {settings_.host.c_str(),
                                port.c_str(),
                                settings_.name.c_str(),
                                timeout.c_str(),
                                name.c_str(),
                                "disable",
                                "UTF8",
                                nullptr};
  connection_ = PQconnectdbParams(keywords, values, 0);
  if (PQstatus(connection_) != CONNECTION_OK) {
    Error error{Errc::kUnavailable, fmt::format("no connection to the database: {}", reason(connection_))};
    disconnect();
    return error;
  }
  // Non-blocking, so that a long pipeline cannot wait for a server that waits for us to read.
  check(PQenterPipelineMode(connection_) == 1, "a new connection can pipeline");
  PQsetnonblocking(connection_, 1);
  return Done{};
}

// An idle connection has nothing to say. What can be read is the server's farewell, or a notice: either way a new
// connection is the safe answer, and nothing has been sent yet.
bool Database::still_usable() const {
  if (!connection_ || PQstatus(connection_) != CONNECTION_OK) return false;
  pollfd interest{PQsocket(connection_), POLLIN, 0};
  return ::poll(&interest, 1, 0) == 0;
}

Result<Rows> Database::run(std::string_view customer_id, const Statement& statement,
                           const std::vector<Parameter>& parameters) {
  CallTimer timer(Peer::kSql, statement.name);
  for (int attempt = 1;; ++attempt) {
    if (!still_usable()) {
      if (auto connected = connect(); !connected) {
        timer.fail();
        return connected.error();
      }
    }
    auto rows = run_once(customer_id, statement, parameters);
    if (rows) return std::move(*rows);
    const Again again = rows.error().again;
    const bool harmless =
        again == Again::kYes || (again == Again::kIfItOnlyReads && statement.effect == Statement::Effect::kRead);
    if (attempt == 2 || !harmless) {
      timer.fail();
      return rows.error().error.within(statement.name);
    }
  }
}

bool Database::send(std::string_view customer_id, const Statement& statement, const std::vector<Parameter>& parameters,
                    std::chrono::milliseconds timeout) {
  const auto prepare = [&](const Statement& one) {
    return prepared_.contains(std::string_view(one.name)) ||
           PQsendPrepare(connection_, one.name, one.sql, 0, nullptr) == 1;
  };
  const std::string tenant(customer_id);
  const std::string timeout_ms = std::to_string(timeout.count());
  const char* const tenant_values[] = {tenant.c_str(), timeout_ms.c_str()};
  std::vector<const char*> values;
  for (const Parameter& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  return prepare(kSetTenant) &&
         PQsendQueryPrepared(connection_, kSetTenant.name, 2, tenant_values, nullptr, nullptr, 0) == 1 &&
         prepare(statement) &&
         PQsendQueryPrepared(connection_, statement.name, static_cast<int>(values.size()), values.data(), nullptr,
                             nullptr, 0) == 1 &&
         PQpipelineSync(connection_) == 1;
}

Result<Rows, Database::Failure> Database::run_once(std::string_view customer_id, const Statement& statement,
                                                   const std::vector<Parameter>& parameters) {
  const auto lost = [&](const Error& error) {
    disconnect();
    return Failure{error, error.code == Errc::kTimeout ? Again::kNo : Again::kIfItOnlyReads};
  };
  const auto timeout = std::clamp(time_left() - kReserve, kLeastTimeout, settings_.answer_timeout);
  if (!send(customer_id, statement, parameters, timeout)) {
    return lost(Error{Errc::kUnavailable, reason(connection_)});
  }
  // The server's own timeout comes first, and keeps the connection; this one is for a server that does not answer.
  const auto deadline = steady_clock::now() + timeout + kReserve / 2;
  std::optional<Rows> rows;  // of the statement, after those of set_tenant
  int results_with_rows = 0;
  std::optional<Failure> failure;
  while (true) {
    auto result = receive(deadline);
    if (!result) return lost(result.error());
    if (!*result) continue;  // the end of one command's results
    Rows owned(*result);
    const ExecStatusType status = PQresultStatus(*result);
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_TUPLES_OK) {
      rows = std::move(owned);
      ++results_with_rows;
    }
    if (status == PGRES_FATAL_ERROR && !failure) {
      const std::string_view state = state_of(*result);
      const Again again = must_be_prepared_again(state) ? Again::kYes : Again::kNo;
      failure = Failure{Error{code_for(state), fmt::format("{}: {}", state, PQresultErrorMessage(*result))}, again};
      // A connection that the server ends (57P01 and others) gives no Sync any more.
      if (PQstatus(connection_) != CONNECTION_OK || state.starts_with("57P")) return lost(failure->error);
    }
  }
  if (failure) {
    if (failure->again == Again::kYes) disconnect();
    return std::move(*failure);
  }
  check(results_with_rows == 2, "every statement answers with rows: writes say RETURNING");
  prepared_.insert(kSetTenant.name);
  prepared_.insert(statement.name);
  return std::move(*rows);
}

// The next result; null at the end of each command's results.
Result<pg_result*> Database::receive(steady_clock::time_point deadline) {
  while (true) {
    const int flushed = PQflush(connection_);
    if (flushed < 0) return Error{Errc::kClosed, reason(connection_)};
    if (flushed == 0 && PQisBusy(connection_) == 0) {
      pg_result* const result = PQgetResult(connection_);
      if (!result && PQstatus(connection_) != CONNECTION_OK) return Error{Errc::kClosed, reason(connection_)};
      return result;
    }
    if (auto ready = wait_readable(deadline); !ready) return ready.error();
    if (PQconsumeInput(connection_) == 0) return Error{Errc::kClosed, reason(connection_)};
  }
}

// Or writable, while something is still to be sent.
Result<Done> Database::wait_readable(steady_clock::time_point deadline) {
  const bool sending = PQflush(connection_) == 1;
  pollfd interest{PQsocket(connection_), static_cast<short>(POLLIN | (sending ? POLLOUT : 0)), 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  const int ready = ::poll(&interest, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
  if (ready > 0 || (ready < 0 && errno == EINTR)) return Done{};
  if (ready == 0) {
    return Error{Errc::kTimeout, "no answer from the database before the deadline"};
  }
  return system_error(errno, "poll", "the database's connection");
}

}  // namespace securebase::lambda
