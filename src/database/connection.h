// One libpq connection of the platform's own, over the private socket. Blocking; one thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::database {

class Connection {
 public:
  // As the server's superuser.
  static Result<Connection> open(const std::filesystem::path& socket_directory, std::uint16_t port,
                                 const std::string& database);
  // Whether a server is there that takes nobody in yet, or any more: it recovers, or shuts down.
  static bool refuses_for_now(const std::filesystem::path& socket_directory, std::uint16_t port);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;

  using Rows = std::vector<std::vector<std::string>>;  // NULL is ""
  // With parameters one statement ($1 ...), without any number of them. The error is PostgreSQL's message.
  Result<Rows> run(const std::string& sql, const std::vector<std::string>& parameters = {});
  // A whole file in the open transaction. The error says the line.
  Result<Done> run_file(const std::string& name, const std::string& text);
  bool in_transaction() const;

  // "name" and 'text' as SQL writes them.
  std::string identifier(std::string_view name) const;
  std::string literal(std::string_view text) const;
  // What ALTER ROLE ... PASSWORD takes instead of the password itself, so that no log has it.
  Result<std::string> scram_secret(const std::string& role, const std::string& password) const;

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace securebase::database
