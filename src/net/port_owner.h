// Who listens on a port, as far as /proc tells.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace securebase::net {

struct PortOwner {
  pid_t pid = 0;
  std::string command;
};

// nullopt: nobody, or a process whose descriptors we may not read (another user's).
std::optional<PortOwner> owner_of_port(std::uint16_t port);

}  // namespace securebase::net
