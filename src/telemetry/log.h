// Log lines: what a room has to say about a request or a child, for whoever keeps logs. A room is given a LogSink and
// does not know what becomes of the lines.
#pragma once

#include <string_view>

#include "base/clock.h"

namespace securebase::telemetry {

struct LogLine {
  std::string_view group;   // as CloudWatch names it: "/aws/lambda/securebase-prod-auth"
  std::string_view stream;  // "2026/11/24/[$LATEST]0123..."
  base::TimePoint time;
  std::string_view message;  // one event, without its line break; may hold several lines
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Any thread, a worker's too: copies the line and never waits. A sink that cannot keep up drops lines and counts
  // them.
  virtual void write(const LogLine& line) = 0;
};

}  // namespace securebase::telemetry
