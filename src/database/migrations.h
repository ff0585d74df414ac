// Migrations: files NNNN_name.sql of a directory, applied in the order of their names, each once and in a transaction
// of its own with the row that records it (table securebase_migrations). What was applied must not change.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "database/connection.h"

namespace securebase::database {

struct Migration {
  std::string name;  // "0001_tables.sql"
  std::string text;
  std::string sha256;  // hex
};

// kMalformed names a file whose name is of another form, or a second one of the same number.
Result<std::vector<Migration>> read_migrations(const std::filesystem::path& directory);

// As `owner`. An error leaves the failing file undone as a whole, and the ones before it applied. Gives how many were
// applied now.
Result<std::size_t> migrate(Connection& connection, const std::string& owner, const std::vector<Migration>& migrations);

}  // namespace securebase::database
