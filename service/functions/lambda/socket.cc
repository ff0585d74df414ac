#include "lambda/socket.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "lambda/stream.h"

namespace securebase::lambda {

namespace {

using std::chrono::milliseconds;

// For poll(): rounded up, so that a deadline is never polled in a busy loop just before it.
int milliseconds_until(base::SteadyPoint deadline) {
  if (deadline == kNoDeadline) return -1;
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

Result<Socket> connect_to(const addrinfo& address, const std::string& name, base::SteadyPoint deadline) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (socket.fd() < 0) return system_error(errno, "socket", name);
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(socket.fd(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return system_error(errno, "connect", name);
  if (auto ready = socket.wait(Socket::For::kWriting, deadline); !ready) {
    return ready.error().within(fmt::format("connecting to {}", name));
  }
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return system_error(failure, "connect", name);
  return socket;
}

}  // namespace

Result<Socket> Socket::connect(const std::string& host, std::uint16_t port, base::SteadyPoint deadline) {
  const std::string name = fmt::format("{}:{}", host, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); failure != 0) {
    return Error{Errc::kUnavailable, fmt::format("{} has no address: {}", name, ::gai_strerror(failure))};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  Error last{Errc::kUnavailable, fmt::format("{} has no address", name)};
  for (const addrinfo* address = addresses.get(); address; address = address->ai_next) {
    auto socket = connect_to(*address, name, deadline);
    if (socket) return socket;
    last = socket.error();
  }
  return last;
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Done> Socket::wait(For what, base::SteadyPoint deadline) const {
  pollfd interest{fd_, static_cast<short>(what == For::kReading ? POLLIN : POLLOUT), 0};
  while (true) {
    const int ready = ::poll(&interest, 1, milliseconds_until(deadline));
    if (ready > 0) return Done{};  // an error or a hang-up shows in the call that follows
    if (ready == 0) return Error{Errc::kTimeout, "no answer before the deadline"};
    if (errno != EINTR) return system_error(errno, "poll", "a socket");
  }
}

}  // namespace securebase::lambda
