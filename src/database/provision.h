// Makes the running server what a cluster asks for: roles, database, extension, migrations. Changes only what differs.
#pragma once

#include "database/config.h"

namespace securebase::database {

// Gives how many migrations were applied now.
Result<std::size_t> provision(const std::filesystem::path& socket_directory, const Cluster& cluster,
                              const Doors& doors);

}  // namespace securebase::database
