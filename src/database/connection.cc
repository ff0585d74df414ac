#include "database/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <charconv>

namespace securebase::database {

namespace {

using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;
using Text = std::unique_ptr<char, decltype(&PQfreemem)>;

std::string trimmed(const char* text) {
  std::string trimmed = text ? text : "";
  while (!trimmed.empty() && trimmed.back() == '\n') trimmed.pop_back();
  return trimmed;
}

bool succeeded(const Answer& answer) {
  const auto status = PQresultStatus(answer.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

}  // namespace

struct Connection::Impl {
  PGconn* connection = nullptr;
  ~Impl() { PQfinish(connection); }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;

Result<Connection> Connection::open(const std::filesystem::path& socket_directory, std::uint16_t port,
                                    const std::string& database) {
  const std::string port_text = std::to_string(port);
  const char* names[] = {"host", "port", "user", "dbname", "connect_timeout", "application_name", nullptr};
  const char* values[] = {
      socket_directory.c_str(), port_text.c_str(), "postgres", database.c_str(), "5", "securebase", nullptr};
  auto impl = std::make_unique<Impl>();
  impl->connection = PQconnectdbParams(names, values, 0);
  if (PQstatus(impl->connection) != CONNECTION_OK) {
    return Error{Errc::kUnavailable, trimmed(PQerrorMessage(impl->connection))};
  }
  // Notices go to the server's log already.
  PQsetNoticeProcessor(
      impl->connection, [](void*, const char*) {}, nullptr);
  return Connection(std::move(impl));
}

bool Connection::refuses_for_now(const std::filesystem::path& socket_directory, std::uint16_t port) {
  const std::string port_text = std::to_string(port);
  const char* names[] = {"host", "port", "user", "dbname", "connect_timeout", nullptr};
  const char* values[] = {socket_directory.c_str(), port_text.c_str(), "postgres", "postgres", "5", nullptr};
  return PQpingParams(names, values, 0) == PQPING_REJECT;
}

Result<Connection::Rows> Connection::run(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const Answer answer(parameters.empty() ? PQexec(impl_->connection, sql.c_str())
                                         : PQexecParams(impl_->connection, sql.c_str(), static_cast<int>(values.size()),
                                                        nullptr, values.data(), nullptr, nullptr, 0),
                      &PQclear);
  if (!succeeded(answer)) return Error{Errc::kIo, trimmed(PQerrorMessage(impl_->connection))};
  Rows rows(static_cast<std::size_t>(PQntuples(answer.get())));
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    for (int column = 0; column < PQnfields(answer.get()); ++column) {
      rows[static_cast<std::size_t>(row)].emplace_back(PQgetvalue(answer.get(), row, column));
    }
  }
  return rows;
}

Result<Done> Connection::run_file(const std::string& name, const std::string& text) {
  const Answer answer(PQexec(impl_->connection, text.c_str()), &PQclear);
  if (succeeded(answer)) return Done{};
  const char* position = PQresultErrorField(answer.get(), PG_DIAG_STATEMENT_POSITION);
  std::string place = name;
  if (position) {
    // Counted in characters of the whole file; the files are UTF-8, and lines are all that is wanted.
    std::size_t at = 0;
    std::from_chars(position, position + std::char_traits<char>::length(position), at);
    at = std::min(at, text.size());
    place += fmt::format(":{}", 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }
  return Error{Errc::kMalformed, fmt::format("{}: {}", place, trimmed(PQresultErrorMessage(answer.get())))};
}

bool Connection::in_transaction() const { return PQtransactionStatus(impl_->connection) == PQTRANS_INTRANS; }

std::string Connection::identifier(std::string_view name) const {
  const Text quoted(PQescapeIdentifier(impl_->connection, name.data(), name.size()), &PQfreemem);
  check(quoted != nullptr, "a name of UTF-8 can be quoted");
  return quoted.get();
}

std::string Connection::literal(std::string_view text) const {
  const Text quoted(PQescapeLiteral(impl_->connection, text.data(), text.size()), &PQfreemem);
  check(quoted != nullptr, "a text of UTF-8 can be quoted");
  return quoted.get();
}

Result<std::string> Connection::scram_secret(const std::string& role, const std::string& password) const {
  const Text secret(PQencryptPasswordConn(impl_->connection, password.c_str(), role.c_str(), "scram-sha-256"),
                    &PQfreemem);
  if (!secret) return Error{Errc::kIo, trimmed(PQerrorMessage(impl_->connection))};
  return std::string(secret.get());
}

}  // namespace securebase::database
