// A connection to a server, as blocking calls with deadlines: a function does one thing at a time, so it needs no loop.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::lambda {

constexpr auto kNoDeadline = base::SteadyPoint::max();

class Stream {
 public:
  virtual ~Stream() = default;
  // At least one byte, appended to `into`. kClosed at the end of the stream, kTimeout after the deadline.
  virtual Result<Done> read_some(std::string& into, base::SteadyPoint deadline) = 0;
  virtual Result<Done> write_all(std::string_view bytes, base::SteadyPoint deadline) = 0;
};

// Both are tried: IPv4 and IPv6 addresses of a name, in the resolver's order.
enum class Waits {
  kUntilDeadline,
  kForever,  // reading and writing have no deadlines: the kernel waits, which costs two system calls less
};
Result<std::unique_ptr<Stream>> connect_tcp(const std::string& host, std::uint16_t port, base::SteadyPoint deadline,
                                            Waits waits = Waits::kUntilDeadline);

// What TLS connections share: the trusted CAs, read once. They are those of the file that SSL_CERT_FILE names, else the
// system's. Opens no socket, so it may be made before a fork.
class TlsClient {
 public:
  static Result<TlsClient> with_system_trust();
  TlsClient(TlsClient&&) noexcept;
  TlsClient& operator=(TlsClient&&) noexcept;
  ~TlsClient();

  // TLS 1.2 or later; the certificate must be valid for `host`, a name or an address.
  Result<std::unique_ptr<Stream>> connect(const std::string& host, std::uint16_t port,
                                          base::SteadyPoint deadline) const;

 private:
  struct Context;  // tls_stream.cc
  explicit TlsClient(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

}  // namespace securebase::lambda
