// From an Address to what the kernel takes.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "net/stream.h"

namespace securebase::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::uint16_t port() const;
};

// Without asking anybody: IP literals, "localhost", Unix paths. Empty: the name has to be looked up.
Result<std::vector<SocketAddress>> known_addresses(const Address& address);
// Asks the system's resolver. Blocks.
Result<std::vector<SocketAddress>> look_up(const Address& address);

}  // namespace securebase::net
