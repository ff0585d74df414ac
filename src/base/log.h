// The platform's own log lines, on standard error. What functions and requests log is the monitoring room's.
// Any thread; a line is written whole. Never log a secret, a token or a body.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace securebase::base {

enum class Level { kDebug, kInfo, kWarning, kError };

void set_log_level(Level least);
bool logs(Level level);
void log_line(Level level, std::string_view room, std::string_view text);

template <class... Args>
void log(Level level, std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (logs(level)) log_line(level, room, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace securebase::base
