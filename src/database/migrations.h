// Migrations: files NNNN_name.sql of a directory, applied in the order of their names, each once and in a transaction
// of its own with the row that records it (table securebase_migrations). What was applied must not change.
#pragma once

#include <filesystem>
#include <map>
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

// Of those that were applied: by name, the SHA-256 of their text.
using AppliedMigrations = std::map<std::string, std::string>;
// Those that are still to be applied, in order. kConflict: one that was applied has another text now, or is missing
// while a later one is there. Where all that is missing is later than what is there, the files are older than the
// database, as after a rollback: that is no error.
Result<std::vector<const Migration*>> still_to_apply(const std::vector<Migration>& migrations,
                                                     const AppliedMigrations& applied);

// As `owner`. An error leaves the failing file undone as a whole, and the ones before it applied: `applied` says which
// those are, before and after. Gives how many were applied now.
Result<std::size_t> migrate(Connection& connection, const std::string& owner, const std::vector<Migration>& migrations,
                            AppliedMigrations& applied);

}  // namespace securebase::database
