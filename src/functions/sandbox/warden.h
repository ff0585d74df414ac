// The warden: a small process of one thread that makes the sandboxes. The platform has many threads, so nothing more
// than async-signal-safe code could run in a child of its own between fork and exec; the warden may do as it likes,
// and its few pages make a fork cheap. It also binds lives together: when the platform goes, however it goes, the
// socket to it closes, the warden ends, and with it, by the parent-death signal, every instance with all its children.
#pragma once

#include "functions/sandbox/jail.h"

namespace securebase::functions {

struct WardenSettings {
  JailSettings jail;
  bool isolation_required = false;
};

// Serves `socket` until the platform goes. The program's exit code.
int run_warden(WardenSettings settings, int socket);

}  // namespace securebase::functions
