// A broken invariant stops the program, in every build: nothing acknowledged is ever only in memory, so stopping is
// safe and going on is not.
#pragma once

#include <source_location>
#include <string_view>

namespace securebase {

[[noreturn]] void stop_on_broken_invariant(std::string_view believed, const std::source_location& where);

inline void check(bool condition, std::string_view believed,
                  const std::source_location& where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    stop_on_broken_invariant(believed, where);
}

}  // namespace securebase
