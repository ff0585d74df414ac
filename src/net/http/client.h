// The HTTP client: one per worker, keeps connections to the origins it talked to.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "net/http/message.h"
#include "net/stream.h"
#include "net/tls.h"

namespace securebase::http {

struct ClientLimits {
  std::size_t head_bytes = 64 << 10;
  std::size_t header_count = 200;
  std::size_t idle_connections = 64;  // an origin
  std::chrono::milliseconds idle_time{60'000};
  std::chrono::milliseconds connect_time{10'000};  // an attempt
  std::size_t connect_attempts = 1;
  std::chrono::milliseconds read_time{30'000};  // without any progress
};

struct ClientRequest {
  net::Address origin;
  bool tls = false;
  std::string server_name;  // SNI and verification; the origin's host if empty
  Method method = Method::kGet;
  std::string target = "/";
  Headers headers;  // Host is added if missing; framing fields are the client's
  Body body;
};

struct ClientResponse {
  int status = 0;
  Headers headers;                   // hop-by-hop fields taken out
  std::unique_ptr<BodyReader> body;  // null: none. Read to its end, its connection is kept.
};

class Client {
 public:
  // On its worker.
  explicit Client(ClientLimits limits = {}, std::shared_ptr<const net::TlsClient> tls = nullptr);
  ~Client();
  // An idempotent request whose body (if it is a stream) was not begun is tried once more when a kept connection turns
  // out closed before any answer; others may have been carried out (RFC 9110 §9.2.2). Errors: kUnavailable (no
  // connection), kTimeout, kMalformed (the origin's framing), kClosed. The response's body may outlive the client.
  net::Task<Result<ClientResponse>> send(ClientRequest request);

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace securebase::http
