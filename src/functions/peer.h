// Who is at the other end of a connection over loopback: the kernel knows which user made a socket.
#pragma once

#include <cstdint>
#include <optional>

namespace securebase::functions {

// Asks by NETLINK_SOCK_DIAG for the IPv4 socket 127.0.0.1:peer_port -> 127.0.0.1:own_port. One exact lookup, about two
// microseconds; nullopt: no such socket, or the kernel does not say. Worker only.
class PeerUsers {
 public:
  PeerUsers();
  ~PeerUsers();
  PeerUsers(const PeerUsers&) = delete;
  PeerUsers& operator=(const PeerUsers&) = delete;
  std::optional<std::uint32_t> user_of(std::uint16_t peer_port, std::uint16_t own_port);

 private:
  int socket_ = -1;
};

}  // namespace securebase::functions
