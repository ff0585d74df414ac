// Who caused what: the ids that travel with a request through every hop.
#pragma once

#include <cstdint>

namespace securebase::telemetry {

// A trace id of 128 bits (X-Ray's 1-<8 hex>-<24 hex> and W3C's 32 hex are two spellings of it), and the span within it
// that the next hop is a child of. All zero: no trace.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t parent_span = 0;
  bool sampled = false;

  bool operator==(const TraceContext&) const = default;
};

}  // namespace securebase::telemetry
