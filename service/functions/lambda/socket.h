// A connected TCP socket that does not block by itself; waiting is explicit and has a deadline.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace securebase::lambda {

class Socket {
 public:
  static Result<Socket> connect(const std::string& host, std::uint16_t port, base::SteadyPoint deadline);
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const { return fd_; }
  enum class For { kReading, kWriting };
  Result<Done> wait(For what, base::SteadyPoint deadline) const;

 private:
  int fd_;
};

}  // namespace securebase::lambda
