// From the server's own counters to metrics: what is read every few seconds, and what is recorded of two readings.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "database/connection.h"
#include "process/usage.h"
#include "telemetry/metrics.h"

namespace securebase::database {

// Counts of one statement (pg_stat_statements), which only grow until it is forgotten.
struct StatementCounts {
  std::uint64_t calls = 0;
  double milliseconds = 0;
};

struct Reading {
  base::SteadyPoint at{};
  process::Usage usage;
  std::uint64_t connections = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t commits = 0;
  std::uint64_t deadlocks = 0;
  std::uint64_t blocks_hit = 0;
  std::uint64_t blocks_read = 0;
  std::uint64_t oldest_transaction_age = 0;
  std::map<std::string, StatementCounts> statements;  // by user, database and query id
};

// What it is recorded under.
struct Identifiers {
  std::string cluster;
  std::vector<std::string> instances;
};

// Records the samples that follow from two readings of one server; rates are over the time between them. Counters that
// fell were reset: they count from 0.
void record(telemetry::Registry& registry, const Identifiers& of, const Reading& before, const Reading& now,
            unsigned cores);
// Levels that need no two readings.
void record_storage(telemetry::Registry& registry, const Identifiers& of, std::uint64_t free_bytes,
                    std::optional<std::uint64_t> used_bytes, std::uint64_t available_memory_bytes);

// Reads a server through a connection of its own, which it makes anew when it is lost. One thread.
class Reader {
 public:
  Reader(std::filesystem::path socket_directory, const base::Clock& clock)
      : socket_directory_(std::move(socket_directory)), clock_(&clock) {}
  // `postmaster` is the server's first process.
  Result<Reading> read(std::uint16_t port, pid_t postmaster);
  // As the superuser; blocks until all that was written is on disk, so that a stop that follows finds little to write.
  Result<Done> checkpoint(std::uint16_t port);
  void disconnect() { connection_.reset(); }

 private:
  Result<Done> connect(std::uint16_t port);
  Result<Done> read_statements(Reading& reading);

  const std::filesystem::path socket_directory_;
  const base::Clock* clock_;
  process::UsageMeter meter_;
  std::unique_ptr<Connection> connection_;
  // Which query ids are queries rather than BEGIN, SET and the like; those that the server still has.
  std::map<std::string, bool> is_query_;
};

}  // namespace securebase::database
