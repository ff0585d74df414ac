// The HTTP server: accepts on every worker, frames strictly (RFC 9112), hands each request to one Handler.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "net/http/message.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/worker.h"

namespace securebase::http {

struct ServerLimits {
  std::size_t head_bytes = 32 << 10;             // request line and fields together; 431 beyond
  std::size_t header_count = 100;                // 431 beyond
  std::size_t target_bytes = 8 << 10;            // 414 beyond
  std::uint64_t body_bytes = 10 << 20;           // 413 beyond; API Gateway's own limit is 10 MB
  std::size_t connections = 10'000;              // a worker; beyond, the oldest idle one is closed, else the new one
  std::size_t pipelined = 64;                    // answered without a pause before others get their turn
  std::chrono::milliseconds head_time{10'000};   // from the first byte of a request to the end of its fields: 408
  std::chrono::milliseconds idle_time{75'000};   // between requests: closed
  std::chrono::milliseconds body_time{30'000};   // without any progress of a body, either way: 408 or closed
  std::chrono::milliseconds drain_time{10'000};  // what a drain waits for requests under way
};

struct ServerSettings {
  net::Address address;
  std::shared_ptr<const net::TlsServer> tls;  // null: cleartext
  ServerLimits limits;
  bool trace_requests = true;  // read X-Amzn-Trace-Id, begin a trace where there is none
};

class Server {
 public:
  // Listens on every worker, or on none. `handler` and `workers` outlive the server. Not from a worker's thread.
  static Result<std::unique_ptr<Server>> start(ServerSettings settings, net::Workers& workers, Handler& handler);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Accepts no more, lets requests under way finish (Connection: close), closes the rest after drain_time. Not from a
  // worker's thread. Idempotent.
  virtual void drain() = 0;
};

// The same on the current worker alone, as the functions room needs it for its instances.
class WorkerServer {
 public:
  static Result<std::unique_ptr<WorkerServer>> start(ServerSettings settings, Handler& handler,
                                                     net::Listener::Sharing sharing = net::Listener::Sharing::kAlone);
  virtual ~WorkerServer() = default;
  virtual std::uint16_t port() const = 0;
  // Before it goes, always: as Server::drain().
  virtual net::Task<void> drain() = 0;
};

}  // namespace securebase::http
