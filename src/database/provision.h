// Makes the running server what a cluster asks for: roles, database, extension, migrations. Changes only what differs.
#pragma once

#include "database/config.h"

namespace securebase::database {

Result<Done> provision(const std::filesystem::path& socket_directory, const Cluster& cluster, const Doors& doors);

}  // namespace securebase::database
