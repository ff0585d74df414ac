#include "cache/conf.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::cache {

namespace {

// ElastiCache user guide, "Restricted commands": what would reach the server's files, settings or role.
constexpr std::string_view kClientCommands =
    "+@all -acl|setuser -acl|load -acl|save -acl|deluser -bgrewriteaof -bgsave -config -debug -failover -migrate "
    "-module "
    "-psync -replicaof -save -shutdown -slaveof -sync";

// A word as redis.conf reads it: sdssplitargs() knows \xHH between double quotes, so any byte can be said.
std::string quoted(std::string_view word) {
  std::string text = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') text += '\\';
    if (byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + '"';
}

}  // namespace

std::uint64_t machine_bytes() {
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
}

std::uint64_t maxmemory_of(const Cluster& cluster, std::uint64_t machine_bytes, double share) {
  const auto most = static_cast<std::uint64_t>(static_cast<double>(machine_bytes) * share);
  return data_bytes(std::min(cluster.node_bytes, most), cluster.parameters);
}

std::vector<std::string> token_rules(const std::string& token, const std::string& previous) {
  if (token.empty()) return {"on", "resetpass", "nopass"};
  // By their digests: neither the file nor Redis' memory holds the token itself.
  std::vector<std::string> rules = {"on", "resetpass", "#" + base::hex(base::sha256(token))};
  if (!previous.empty() && previous != token) rules.push_back("#" + base::hex(base::sha256(previous)));
  return rules;
}

std::string redis_conf(const Cluster& cluster, const std::string& host, const Files& files, const Secrets& secrets,
                       const RedisSettings& settings) {
  std::string text = "# Written by SecureBase at every start and change.\n";
  const auto set = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{} {}\n", name, quoted(value));
  };
  set("bind", host);
  set("port", std::to_string(cluster.tls ? 0 : cluster.port));
  if (cluster.tls) {
    set("tls-port", std::to_string(cluster.port));
    set("tls-cert-file", files.certificate().native());
    set("tls-key-file", files.key().native());
    set("tls-ca-cert-file", files.certificate().native());
    set("tls-auth-clients", "no");
    set("tls-protocols", "TLSv1.2 TLSv1.3");
  }
  set("unixsocket", files.socket().native());
  set("unixsocketperm", "700");
  set("dir", files.directory.native());
  text += "save \"\"\n";  // nothing is kept
  set("appendonly", "no");
  set("daemonize", "no");
  set("supervised", "no");
  set("maxmemory-policy", "volatile-lru");  // default.redis7
  text += fmt::format("user {} on #{} ~* &* +@all\n", kOwnUser, base::hex(base::sha256(secrets.own_password)));
  text += fmt::format("user default {} ~* &* {}\n",
                      fmt::join(token_rules(cluster.auth_token, secrets.previous_token), " "), kClientCommands);
  for (const auto& [name, value] : settings) {
    // Redis wants the words of this one apart.
    if (name == "client-output-buffer-limit") {
      text += fmt::format("{} {}\n", name, value);
    } else {
      set(name, value);
    }
  }
  return text;
}

}  // namespace securebase::cache
