// A log event as it comes in, and what its writer knows beside its text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/log.h"

namespace securebase::logs {

// Refers to what its caller holds.
struct Event {
  std::int64_t time_ms = 0;  // since the epoch
  std::string_view message;
  std::span<const telemetry::LogField> fields;  // found beside what the message says
};

// The order of all events of a group: by time, then as they came.
struct Position {
  std::int64_t time_ms = 0;
  std::uint64_t sequence = 0;
  auto operator<=>(const Position&) const = default;
};

// An event as it is read.
struct StoredEvent {
  Position at;
  std::int64_t ingestion_ms = 0;
  std::string stream;
  std::string message;
};

}  // namespace securebase::logs
