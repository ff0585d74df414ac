// Who called whom, as segments tell it.
#pragma once

#include <functional>
#include <optional>

#include "traces/counts/counts.h"
#include "traces/segment/segment.h"

namespace securebase::traces {

// The service that a segment stands for.
Node node_of(const Segment& segment);

// The service of a parent that is not among the segments; nullopt: not known either.
using ParentLookup = std::function<std::optional<Node>(const std::string& parent_id)>;

// Adds the calls of these segments, the tops of one trace. What a subsegment calls outside is a service too, unless
// that service's own segment is here.
void count_segments(const std::vector<Segment>& tops, const ParentLookup& lookup, Counts& counts);

}  // namespace securebase::traces
