// Log lines: what a room has to say about a request or a child, for whoever keeps logs. A room is given a LogSink and
// does not know what becomes of the lines.
#pragma once

#include <span>
#include <string_view>

#include "base/clock.h"

namespace securebase::telemetry {

// A field that the writer knows without it standing in the line: an access line in a format of the stack's own still
// has its path and its duration.
struct LogField {
  std::string_view name;  // "@duration", "path"
  std::string_view text;
  double number = 0;
  bool is_text = true;
};

struct LogLine {
  std::string_view group;   // as CloudWatch names it: "/aws/lambda/securebase-prod-auth"
  std::string_view stream;  // "2026/11/24/[$LATEST]0123..."
  base::TimePoint time;
  std::string_view message;  // one event, without its line break; may hold several lines
  std::span<const LogField> fields = {};
};

class LogSink {
 public:
  virtual ~LogSink() = default;
  // Any thread, a worker's too: copies the line and never waits. A sink that cannot keep up drops lines and counts
  // them.
  virtual void write(const LogLine& line) = 0;
};

}  // namespace securebase::telemetry
