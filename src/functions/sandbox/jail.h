// What an instance sees: a root of read-only binds in namespaces of its own, and no privilege. Runs in the child that
// the warden cloned, which is process 1 of the instance: it builds the root, starts the instance's program as its own
// child, reaps what is orphaned, and ends with it. docs/functions.md has the table of measures.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "functions/sandbox/cgroup.h"
#include "functions/sandbox/filter.h"
#include "functions/sandbox/wire.h"

namespace securebase::functions {

struct JailSettings {
  std::filesystem::path
      mount_point;              // an empty directory; the root is built on it, in the instance's own mount namespace
  std::filesystem::path etc;    // becomes /etc
  bool namespaces = false;      // mount, pid, ipc and uts
  bool user_namespace = false;  // without root: capabilities inside, none outside
  bool own_users = false;       // an instance has the host user that its request names
  bool scopes = false;          // an instance reaches no abstract Unix sockets and no processes but its own (scopes.h)
};

// The user that an instance without a host user of its own sees itself as; the name is that of Lambda's.
inline constexpr std::uint32_t kInnerUser = 993;

// Never returns. `verdict` is a pipe: "exit STATUS" (of waitpid), or "fail REASON". `warden` is a pidfd of the warden.
[[noreturn]] void run_instance(const StartRequest& request, const JailSettings& settings, const Cgroups& cgroups,
                               const std::vector<sock_filter>& filter, int output, int verdict, int warden);

}  // namespace securebase::functions
