// The server's configuration files, as text.
#pragma once

#include <string>

#include "database/config.h"

namespace securebase::database {

struct Places {
  std::filesystem::path data;     // PGDATA
  std::filesystem::path sockets;  // of the private Unix socket
  std::filesystem::path tls;      // server.crt, server.key
  std::filesystem::path hba;
};

std::string postgresql_conf(const Settings& settings, const Cluster& cluster, const Places& places);
// The superuser by the private socket only; everybody else by TLS and password only.
std::string pg_hba_conf();

}  // namespace securebase::database
