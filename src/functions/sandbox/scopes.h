// Abstract Unix sockets have no permissions and belong to the network, which is the host's: services of the host that
// listen on one (D-Bus, container runtimes) would take an instance for one of their own. Landlock scopes (Linux 6.12)
// leave an instance those that it made itself; they do the same for signals.
#pragma once

namespace securebase::functions {

bool kernel_has_scopes();

// For the calling process and all it starts; needs no_new_privs. Async-signal-safe. False: not done, errno says why.
bool enter_scopes();

}  // namespace securebase::functions
