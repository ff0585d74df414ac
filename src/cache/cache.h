// The door of the cache room: ElastiCache for Redis, as one managed redis-server below <state>/cache.
//
// Clients come in by TLS (transit_encryption_enabled) with the password (auth_token); the platform itself by a Unix
// socket, as a user of its own. Nothing is kept when the server stops: a cache that came back with its old values would
// give what was invalidated meanwhile. docs/cache.md.
//
// Threads: any; what says that it blocks is not for a worker's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "process/process.h"
#include "process/server.h"
#include "stack/stack.h"
#include "telemetry/metrics.h"

namespace securebase::cache {

// Where the server is reached; computed attributes (primary_endpoint_address, port) say the same.
using Endpoint = process::Endpoint;

// Adds the resource types that this room owns.
void declare(stack::Catalogue& catalogue, const Endpoint& endpoint = {});

// The replication group or cluster of a stack, or none. Opaque here.
struct Config;
// Errors: a second cluster, memcached, an unknown node type or parameter group, a parameter or value that the family
// redis7 does not have.
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack,
                                                                    const Endpoint& endpoint = {});

// What `plan` and the start say about it besides: what this machine makes of the node type, whose port wins.
std::vector<stack::Finding> notes(const stack::Stack& stack, const Endpoint& endpoint = {});

// Of a machine's memory, at most as much as this share becomes maxmemory, whatever the node type has.
constexpr double kMemoryShare = 0.25;

struct Settings {
  std::filesystem::path directory;  // <state>/cache
  std::filesystem::path logs;       // <state>/logs/cache
  std::string user = "redis";       // whom the server runs as when the platform is root
  std::filesystem::path program = "/usr/bin/redis-server";
  Endpoint endpoint;
  // The server's certificate for "localhost" and 127.0.0.1, leaf first, and its key.
  std::string certificate_chain_pem;
  std::string certificate_key_pem;
  double memory_share = kMemoryShare;
};

// What an invalidation did.
struct Receipt {
  struct Tag {
    std::string name;              // "customer:42"
    std::uint64_t generation = 0;  // of tag:customer:42, after it was raised
    std::uint64_t keys = 0;        // unlinked for it
  };
  std::vector<Tag> tags;
  std::uint64_t keys_seen = 0;  // by the scan
  std::chrono::microseconds took{};
};

class Cache {
 public:
  // All outlive it. No registry: nothing is recorded.
  static std::unique_ptr<Cache> make(Settings settings, process::Supervisor& supervisor,
                                     telemetry::Registry* registry = nullptr,
                                     const base::Clock& clock = base::system_clock());
  // Stops the server if it runs.
  virtual ~Cache() = default;

  // Starts the server if need be and makes it what the stack asks for; blocks until it is so. What Redis can change
  // while it runs is changed so, the password too; a new port, TLS or `databases` restarts it, empty.
  virtual Result<Done> apply(std::shared_ptr<const Config> config) = 0;
  virtual void stop() = 0;
  virtual process::Status status() const = 0;

  // Raises the tags' generations (keys tag:<name>) and deletes what the prefix rule ties to them: "#customer:42" the
  // keys <anything>:42 and <anything>:42:*, "#invoices:42" the keys invoices:42 and invoices:42:*; the leading '#' may
  // be missing. Until stored values carry their generations, this is the one place that scans: in the background, on a
  // connection of its own, in bounded batches; tags that wait together share a pass. `done` is called once, on the
  // cache's thread, and must not block. kLimit: too many wait. kUnavailable: Redis cannot be reached, and when it
  // comes back it is empty. With no cluster in the stack the receipt is of nothing.
  virtual void invalidate(std::vector<std::string> tags, std::function<void(Result<Receipt>)> done) = 0;
  // The same; blocks until it is done.
  Result<Receipt> invalidate(std::vector<std::string> tags);
};

}  // namespace securebase::cache
