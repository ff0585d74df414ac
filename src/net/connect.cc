#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/address.h"
#include "net/socket.h"

namespace securebase::net {

namespace {

using Connected = Result<std::unique_ptr<Stream>>;

Task<Connected> connect_to(SocketAddress address, std::string name) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return system_error(errno, "socket", name);
  if (address.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int failure = ::connect(descriptor, address.get(), address.length) == 0 ? 0 : errno;
  const bool waits = failure == EINPROGRESS;
  if (failure != 0 && !waits) {
    ::close(descriptor);
    // A Unix socket that nobody listens on, or whose queue is full, is as unavailable as a refused port.
    if (failure == EAGAIN || failure == ENOENT) failure = ECONNREFUSED;
    co_return system_error(failure, "connect", name);
  }
  auto socket = Socket::adopt(descriptor, waits ? Socket::State::kConnecting : Socket::State::kConnected);
  if (!socket) co_return socket.error();
  if (waits) {
    auto stands = co_await (*socket)->write({});
    if (!stands) co_return stands.error();
    socklen_t size = sizeof failure;
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) co_return system_error(failure, "connect", name);
  }
  (*socket)->set_peer(address.get());
  std::unique_ptr<Stream> stream = std::move(*socket);
  co_return stream;
}

Task<Connected> connect_to_any(Address address) {
  auto addresses = known_addresses(address);
  if (addresses && addresses->empty()) {
    auto ask = [address] { return look_up(address); };  // named: see the head of task.h
    auto looked_up = co_await Worker::current().loop().resolver().run(std::move(ask));
    if (!looked_up) co_return looked_up.error();
    addresses = std::move(*looked_up);
  }
  if (!addresses) co_return addresses.error();
  Connected outcome = Error{Errc::kNotFound, "no address for " + address.to_string()};
  for (const auto& candidate : *addresses) {
    outcome = co_await connect_to(candidate, address.to_string());
    if (outcome || outcome.error().code == Errc::kCancelled) break;
  }
  co_return outcome;
}

}  // namespace

Task<Connected> connect(Address address, std::chrono::steady_clock::duration timeout) {
  const std::string name = address.to_string();
  auto stream = co_await with_timeout(timeout, connect_to_any(std::move(address)));
  if (!stream && stream.error().code == Errc::kTimeout) co_return stream.error().within("connect " + name);
  co_return stream;
}

}  // namespace securebase::net
