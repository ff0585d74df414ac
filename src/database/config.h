// What a stack asks of the server, between resources.cc and the server.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "database/database.h"

namespace securebase::database {

struct Cluster {
  std::string identifier;
  std::uint16_t port = 5432;
  std::string database;         // "": none is made
  std::string master_username;  // "": none is made
  std::string master_password;
  std::string app_credentials;   // name or ARN of a secret, or ""
  std::filesystem::path schema;  // directory of migrations, or ""
  std::map<std::string, std::string> parameters;
};

struct Config {
  std::optional<Cluster> cluster;
};

}  // namespace securebase::database
