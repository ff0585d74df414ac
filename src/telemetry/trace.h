// Who caused what: the ids that travel with a request through every hop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace securebase::telemetry {

// A trace id of 128 bits (X-Ray's 1-<8 hex>-<24 hex> and W3C's 32 hex are two spellings of it), and the span within it
// that the next hop is a child of. All zero: no trace.
struct TraceContext {
  std::uint64_t trace_high = 0;
  std::uint64_t trace_low = 0;
  std::uint64_t parent_span = 0;
  bool sampled = false;  // those who add to it are asked to
  bool decided = false;  // somebody has said whether it is sampled
  bool inside = false;   // parent_span is a hop of this platform

  bool known() const { return trace_high != 0 || trace_low != 0; }
  bool operator==(const TraceContext&) const = default;
};

// From a generator of the calling thread's own, seeded by the kernel; never 0.
std::uint64_t new_span_id();
// A trace that begins here: X-Ray's form, whose first 32 bits are the second in which it began. Not yet decided.
TraceContext new_trace(base::TimePoint now);

// X-Amzn-Trace-Id: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
// (AWS X-Ray developer guide, "Tracing header").
std::string to_xray_header(const TraceContext& trace);
// A trace of zeros when the text is not one. Without Sampled, or with "Sampled=?", it is not decided.
TraceContext from_xray_header(std::string_view text);
// "1-5759e988-bd862e3fe1be46a994272793".
std::string to_xray_id(const TraceContext& trace);
// False: it is none, and `trace` is as before.
bool from_xray_id(std::string_view text, TraceContext& trace);

// traceparent: "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01" (W3C Trace Context, 3.2).
std::string to_traceparent(const TraceContext& trace);
// A trace of zeros when the text is not one. Later versions are read as far as 00 goes (3.2.4).
TraceContext from_traceparent(std::string_view text);

}  // namespace securebase::telemetry
