#include "functions/sandbox/scopes.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace securebase::functions {
namespace {

// linux/landlock.h of Linux 6.12: Debian 12's is of 6.1 and knows no scopes.
struct RulesetAttributes {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;
  std::uint64_t scoped = 0;
};
constexpr std::uint64_t kAbstractUnixSockets = 1;
constexpr std::uint64_t kSignals = 2;
constexpr unsigned kAskForVersion = 1;
constexpr long kFirstVersionWithScopes = 6;

}  // namespace

bool kernel_has_scopes() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskForVersion) >= kFirstVersionWithScopes;
}

bool enter_scopes() {
  RulesetAttributes attributes;
  attributes.scoped = kAbstractUnixSockets | kSignals;
  const auto ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) return false;
  const bool entered = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  close(ruleset);
  return entered;
}

}  // namespace securebase::functions
