// Traces and tables of them as text for a terminal.
#pragma once

#include <span>
#include <string>

#include "traces/api/query.h"
#include "traces/counts/counts.h"

namespace securebase::traces {

std::string duration_text(double seconds);
// One line a trace.
std::string render_list(std::span<const Trace> traces);
// The tree of its segments with their times.
std::string render_trace(const Trace& trace);
// One line a route: how many, how long, and the three parts in which its p95 went.
std::string render_routes(const Counts& counts);
// A table of its parts.
std::string render_route(const std::string& route, const RouteCounts& counts);

// How slow traces of a route differ from its normal ones: the same hops, side by side.
struct HopDifference {
  std::string path;   // "edge > gateway > function"
  double normal = 0;  // mean seconds of its own time, of traces that have it or not
  double slow = 0;
  std::size_t in_normal = 0;  // how many have it
  std::size_t in_slow = 0;
  double difference() const { return slow - normal; }
};
std::vector<HopDifference> compare(std::span<const Trace> normal, std::span<const Trace> slow);
std::string render_comparison(std::span<const HopDifference> hops, std::size_t normal, std::size_t slow);

}  // namespace securebase::traces
