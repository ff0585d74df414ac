#include "database/files.h"

#include <fmt/format.h>

#include "database/logs.h"

namespace securebase::database {

namespace {

// 'text' as postgresql.conf writes it.
std::string quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    if (c != '\n' && c != '\r' && c != '\0') quoted += c;
  }
  return quoted + "'";
}

constexpr const char* kPreloaded = "shared_preload_libraries";

// The platform's own measurements rest on pg_stat_statements, whatever else a group loads.
std::string with_statistics(const std::string& libraries) {
  constexpr std::string_view kStatistics = "pg_stat_statements";
  if (libraries.find(kStatistics) != std::string::npos) return libraries;
  return libraries.empty() ? std::string(kStatistics) : fmt::format("{},{}", kStatistics, libraries);
}

}  // namespace

std::string postgresql_conf(const Settings& settings, const Cluster& cluster, const Places& places) {
  std::string text = "# Written by SecureBase at every start.\n";
  const auto set = [&text](std::string_view name, std::string_view value) {
    text += fmt::format("{} = {}\n", name, quoted(value));
  };
  set("listen_addresses", settings.endpoint.host);
  set("port", std::to_string(cluster.port));
  set("unix_socket_directories", places.sockets.native());
  set("unix_socket_permissions", "0700");
  set("hba_file", places.hba.native());
  set("ssl", "on");
  set("ssl_cert_file", (places.tls / "server.crt").native());
  set("ssl_key_file", (places.tls / "server.key").native());
  set("ssl_min_protocol_version", "TLSv1.2");
  set("password_encryption", "scram-sha-256");
  set("max_connections", std::to_string(settings.max_connections));
  set("shared_buffers", fmt::format("{}kB", settings.shared_buffers_bytes / 1024));
  set("synchronous_commit", "on");
  set("wal_compression", "lz4");
  set("max_wal_size", "2GB");
  set("random_page_cost", "1.1");  // solid-state disks
  set("jit", "off");               // compiling costs more than the short statements of an API take
  set("timezone", "UTC");
  set("log_timezone", "UTC");
  set("log_line_prefix", kLogLinePrefix);
  for (const auto& [name, value] : cluster.parameters) {
    if (name != kPreloaded) set(name, value);
  }
  const auto preloaded = cluster.parameters.find(kPreloaded);
  set(kPreloaded, with_statistics(preloaded == cluster.parameters.end() ? "" : preloaded->second));
  return text;
}

std::string pg_hba_conf() {
  return "# Written by SecureBase at every start.\n"
         "local    all  postgres       trust\n"  // its directory lets nobody else in
         "local    all  all            reject\n"
         "hostssl  all  postgres  all  reject\n"
         "hostssl  all  all       all  scram-sha-256\n";
}

}  // namespace securebase::database
