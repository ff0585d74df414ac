// What a stack asks of the cache, between resources.cc and the server.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cache/cache.h"

namespace securebase::cache {

struct Cluster {
  std::string name;
  std::uint16_t port = 6379;
  std::string auth_token;          // "": no password
  std::uint64_t memory_bytes = 0;  // of the node type
  std::map<std::string, std::string> parameters;
};

struct Config {
  std::optional<Cluster> cluster;
};

}  // namespace securebase::cache
