// How the platform starts its warden: PROGRAM kWardenArgument <process id of the platform>, with their socket as
// descriptor kWardenSocket.
#pragma once

namespace securebase::process {

constexpr const char* kWardenArgument = "--securebase-warden";
constexpr int kWardenSocket = 3;

}  // namespace securebase::process
