// Durations as k6 writes them: "1h30m", "1.5s", "250ms", "2d"; a bare number is milliseconds.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace securebase::k6 {

using Nanoseconds = std::chrono::nanoseconds;

// Not negative, at most 10 years.
Result<Nanoseconds> parse_duration(std::string_view text);
// A JSON string as above, or a number of milliseconds.
Result<Nanoseconds> duration_from(const base::Json& value);
// "1m30s", "250ms", "0s".
std::string duration_text(Nanoseconds duration);
inline double milliseconds_of(Nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}
inline double seconds_of(Nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace securebase::k6
