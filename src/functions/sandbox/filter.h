// The system calls that an instance may not make. Most programs never notice: what is refused is what reaches out of a
// sandbox or widens the kernel's surface. docs/functions.md lists them.
#pragma once

#include <linux/filter.h>

#include <vector>

#include "base/result.h"

namespace securebase::functions {

// Compiled once, by the warden.
Result<std::vector<sock_filter>> compile_filter();

// For the calling process and all it starts; needs no_new_privs. Async-signal-safe.
bool install_filter(const std::vector<sock_filter>& filter);

}  // namespace securebase::functions
