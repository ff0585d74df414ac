// From Redis' own counters (INFO), and from what the kernel says of its process, to metrics: what is read every second,
// and what is recorded of two readings.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cache/client.h"
#include "cache/config.h"
#include "process/usage.h"
#include "telemetry/metrics.h"

namespace securebase::cache {

struct Reading {
  base::SteadyPoint at{};
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t new_connections = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expired = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t reads = 0;   // commands
  std::uint64_t writes = 0;  // commands
  std::uint64_t used_bytes = 0;
  std::uint64_t max_bytes = 0;  // 0: no limit
  std::uint64_t connections = 0;
  std::uint64_t items = 0;
};

// The sets of commands by their ACL categories, as COMMAND LIST gives them.
struct CommandKinds {
  std::set<std::string, std::less<>> reads;
  std::set<std::string, std::less<>> writes;
};

// What INFO says; unknown lines are passed over, missing ones are 0.
Reading parse_info(std::string_view info, const CommandKinds& kinds);

// Records what follows from two readings of one server. Counters that fell were those of a server that was restarted:
// they count from 0.
void record(telemetry::Registry& registry, const Cluster& of, const Reading& before, const Reading& now,
            std::uint64_t available_memory_bytes);

// What the kernel says of the server's process. Asked apart from INFO: a server that is busy answers late or never, and
// then its load is what somebody wants to know.
struct Load {
  base::SteadyPoint at{};
  process::ProcessorTime processor;
};

// Records the load between two looks at one process. It is of the time that the serving thread had a core or could have
// had one: where other programs take the machine's processors, a server that never rests is at 100 % all the same.
void record(telemetry::Registry& registry, const Cluster& of, const Load& before, const Load& now);

// Reads a server through a connection of its own, which it makes anew when it is lost. One thread.
class Reader {
 public:
  Reader(std::filesystem::path socket, std::string password, const base::Clock& clock)
      : socket_(std::move(socket)), password_(std::move(password)), clock_(&clock) {}
  Result<Reading> read();
  void disconnect() { client_.reset(); }

 private:
  Result<Done> connect();
  Result<Done> learn(const char* category, std::set<std::string, std::less<>>& into);

  const std::filesystem::path socket_;
  const std::string password_;
  const base::Clock* clock_;
  std::unique_ptr<Client> client_;
  CommandKinds kinds_;
};

}  // namespace securebase::cache
