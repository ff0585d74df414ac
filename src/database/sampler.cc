#include "database/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "database/metrics.h"

namespace securebase::database {

namespace {

std::uint64_t count_of(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

template <class T>
T grown(T before, T now) {
  return now >= before ? now - before : now;
}

std::vector<telemetry::Dimensions> dimensions_of(const Identifiers& of) {
  std::vector<telemetry::Dimensions> all = {{{"DBClusterIdentifier", of.cluster}}};
  for (const auto& instance : of.instances) all.push_back({{"DBInstanceIdentifier", instance}});
  return all;
}

class Recorder {
 public:
  Recorder(telemetry::Registry& registry, const Identifiers& of) : registry_(registry), all_(dimensions_of(of)) {}
  void operator()(const Metric& metric, double value, std::uint64_t times = 1) {
    if (times == 0) return;
    for (const auto& dimensions : all_) registry_.distribution(metric, dimensions).record(value, times);
  }

 private:
  telemetry::Registry& registry_;
  const std::vector<telemetry::Dimensions> all_;
};

}  // namespace

void record(telemetry::Registry& registry, const Identifiers& of, const Reading& before, const Reading& now,
            unsigned cores) {
  Recorder sample(registry, of);
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  if (seconds <= 0) return;
  const auto rate = [&](std::uint64_t then, std::uint64_t seen) {
    return static_cast<double>(grown(then, seen)) / seconds;
  };
  const double cpu_seconds = std::chrono::duration<double>(grown(before.usage.cpu, now.usage.cpu)).count();
  sample(kCpuUtilization, std::min(100.0, 100 * cpu_seconds / seconds / cores));
  sample(kDatabaseConnections, static_cast<double>(now.connections));
  sample(kReadIops, rate(before.usage.reads, now.usage.reads));
  sample(kWriteIops, rate(before.usage.writes, now.usage.writes));
  sample(kReadThroughput, rate(before.usage.read_bytes, now.usage.read_bytes));
  sample(kWriteThroughput, rate(before.usage.written_bytes, now.usage.written_bytes));
  sample(kCommitThroughput, rate(before.commits, now.commits));
  sample(kDeadlocks, rate(before.deadlocks, now.deadlocks));
  sample(kBufferCacheHitRatio, 100, grown(before.blocks_hit, now.blocks_hit));
  sample(kBufferCacheHitRatio, 0, grown(before.blocks_read, now.blocks_read));
  sample(kMaximumUsedTransactionIds, static_cast<double>(now.oldest_transaction_age));
  for (const auto& [id, counts] : now.statements) {
    const auto known = before.statements.find(id);
    StatementCounts last = known == before.statements.end() ? StatementCounts{} : known->second;
    if (counts.calls < last.calls) last = {};
    const std::uint64_t calls = counts.calls - last.calls;
    if (calls > 0) sample(kQueryTime, (counts.milliseconds - last.milliseconds) / static_cast<double>(calls), calls);
  }
}

void record_storage(telemetry::Registry& registry, const Identifiers& of, std::uint64_t free_bytes,
                    std::optional<std::uint64_t> used_bytes, std::uint64_t available_memory_bytes) {
  Recorder sample(registry, of);
  sample(kFreeStorageSpace, static_cast<double>(free_bytes));
  if (used_bytes) sample(kVolumeBytesUsed, static_cast<double>(*used_bytes));
  sample(kFreeableMemory, static_cast<double>(available_memory_bytes));
}

Result<Done> Reader::connect(std::uint16_t port) {
  if (connection_) return Done{};
  auto made = Connection::open(socket_directory_, port, "postgres");
  if (!made) return made.error();
  connection_ = std::make_unique<Connection>(std::move(*made));
  if (auto done = connection_->run("SET statement_timeout = '5s'"); !done) return done.error();
  return Done{};
}

Result<Reading> Reader::read(std::uint16_t port, pid_t postmaster) {
  if (auto connected = connect(port); !connected) return connected.error();
  Reading reading;
  // The platform's own work is in the database "postgres", and comes in by the socket.
  auto rows = connection_->run(
      "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND client_addr IS NOT "
      "NULL),"
      " sum(xact_commit), sum(deadlocks), sum(blks_hit), sum(blks_read),"
      " (SELECT max(age(datfrozenxid)) FROM pg_database), current_setting('max_connections')"
      " FROM pg_stat_database WHERE datname <> 'postgres'");
  if (rows && (rows->size() != 1 || (*rows)[0].size() != 7)) rows = Error{Errc::kMalformed, "pg_stat_database"};
  if (!rows) {
    disconnect();
    return rows.error();
  }
  const auto& row = (*rows)[0];
  reading.connections = count_of(row[0]);
  reading.commits = count_of(row[1]);
  reading.deadlocks = count_of(row[2]);
  reading.blocks_hit = count_of(row[3]);
  reading.blocks_read = count_of(row[4]);
  reading.oldest_transaction_age = count_of(row[5]);
  reading.max_connections = count_of(row[6]);
  if (auto done = read_statements(reading); !done) {
    disconnect();
    return done.error();
  }
  reading.usage = meter_.read(postmaster);
  reading.at = clock_->steady();
  return reading;
}

Result<Done> Reader::read_statements(Reading& reading) {
  // Without the texts, which lie in a file; the superuser's (10) statements are the platform's own.
  auto rows = connection_->run(
      "SELECT userid || '.' || dbid || '.' || toplevel, queryid, calls, total_exec_time"
      " FROM pg_stat_statements(false) WHERE userid <> 10");
  if (!rows) return rows.error();
  std::string unknown;
  std::map<std::string, bool> known;
  for (const auto& row : *rows) {
    const auto found = is_query_.find(row[1]);
    if (found != is_query_.end()) {
      known.insert(*found);
    } else {
      unknown += fmt::format("{}{}", unknown.empty() ? "" : ",", row[1]);
    }
  }
  is_query_ = std::move(known);
  if (!unknown.empty()) {
    auto kinds = connection_->run(
        R"(SELECT queryid, bool_or(query ~* '^(\s|\(|/\*.*?\*/|--[^\n]*\n)*(select|insert|update|delete|merge|with|values|table)\M'))"
        " FROM pg_stat_statements(true) WHERE queryid = ANY($1::bigint[]) GROUP BY queryid",
        {"{" + unknown + "}"});
    if (!kinds) return kinds.error();
    for (const auto& row : *kinds) is_query_[row[0]] = row[1] == "t";
  }
  for (const auto& row : *rows) {
    const auto found = is_query_.find(row[1]);
    if (found == is_query_.end() || !found->second) continue;
    reading.statements[row[0] + "." + row[1]] = {count_of(row[2]), std::strtod(row[3].c_str(), nullptr)};
  }
  return Done{};
}

Result<Done> Reader::checkpoint(std::uint16_t port) {
  auto connection = Connection::open(socket_directory_, port, "postgres");
  if (!connection) return connection.error();
  auto done = connection->run("CHECKPOINT");
  if (!done) return done.error();
  return Done{};
}

}  // namespace securebase::database
