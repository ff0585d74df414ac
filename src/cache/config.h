// What a stack asks of the cache, between resources.cc and the server.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cache/cache.h"

namespace securebase::cache {

struct Cluster {
  std::string id;                 // of the replication group, else of the cluster
  bool replication_group = true;  // else aws_elasticache_cluster
  std::uint16_t port = 6379;
  bool tls = false;
  std::string auth_token;  // "": no password
  // A changed token: the old one holds beside it until the next change, or ends at once (ElastiCache's ROTATE and SET).
  enum class NewToken { kRotate, kSet };
  NewToken new_token = NewToken::kRotate;
  std::string node_type;
  std::uint64_t node_bytes = 0;                   // what the node type has for maxmemory
  std::map<std::string, std::string> parameters;  // of the group, checked (parameters.h)

  // The cache cluster of ElastiCache's own metrics: a group's first node.
  std::string node() const { return replication_group ? id + "-001" : id; }
};

struct Config {
  std::optional<Cluster> cluster;
};

}  // namespace securebase::cache
