// Makes the running server what a cluster asks for: roles, database, extension, migrations. Changes only what differs.
#pragma once

#include "database/config.h"
#include "database/migrations.h"

namespace securebase::database {

// Whether the schema's directory is looked into. Going back to a configuration that was in force is without: a
// migration that failed would fail again.
enum class Migrations { kApply, kLeave };
// Gives how many were applied now; `applied` are all those of the database, as it was where nobody looked.
Result<std::size_t> provision(const std::filesystem::path& socket_directory, const Cluster& cluster, const Doors& doors,
                              Migrations migrations, AppliedMigrations& applied);

}  // namespace securebase::database
