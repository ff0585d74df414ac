// Stored traces, found and put together.
#pragma once

#include <optional>
#include <vector>

#include "traces/filter/filter.h"
#include "traces/store/store.h"

namespace securebase::traces {

struct Found {
  std::vector<Trace> traces;  // in the order in which they began
  std::uint64_t looked_at = 0;
  std::optional<WallTime> next;  // where to go on, when there were more than are held at a time
};
// What is searched, and from where on: a search that has more traces than are held at a time goes on at Found::next.
struct Search {
  WallTime begin;
  WallTime end;
  WallTime from = begin;
};
// Traces that began within [from, end] and pass the filter; of one looked at, also what others added later. Of those
// that a former page had, nothing comes again.
Found find_traces(const Store& store, const Search& search, const Filter& filter);
// nullopt: nothing is known of it.
std::optional<Trace> find_trace(const Store& store, const TraceId& id);

struct TraceTimes {
  double begin = 0;
  double duration = 0;            // from the first begin to the last end
  const Segment* root = nullptr;  // the segment that nothing here called
};
TraceTimes times_of(const Trace& trace);

}  // namespace securebase::traces
