// redis.conf as text, and how much memory a cluster's data gets on this machine.
#pragma once

#include <filesystem>
#include <string>

#include "cache/client.h"
#include "cache/config.h"
#include "cache/parameters.h"

namespace securebase::cache {

struct Files {
  std::filesystem::path directory;  // of all of them
  std::filesystem::path socket() const { return directory / "redis.sock"; }
  std::filesystem::path conf() const { return directory / "redis.conf"; }
  std::filesystem::path certificate() const { return directory / "server.crt"; }
  std::filesystem::path key() const { return directory / "server.key"; }
};

std::uint64_t machine_bytes();
// What becomes maxmemory: the node type's, at most `share` of the machine's, less what is reserved.
std::uint64_t maxmemory_of(const Cluster& cluster, std::uint64_t machine_bytes, double share);

struct Secrets {
  std::string own_password;    // of kOwnUser
  std::string previous_token;  // holds beside the cluster's own; "": none
};
// Without the tokens themselves. `settings` come last and win.
std::string redis_conf(const Cluster& cluster, const std::string& host, const Files& files, const Secrets& secrets,
                       const RedisSettings& settings);

// The words of ACL SETUSER behind the user's name that make exactly these tokens valid; without a token, anybody comes
// in.
std::vector<std::string> token_rules(const std::string& token, const std::string& previous);

}  // namespace securebase::cache
