// Where the time of one complete request went.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "telemetry/span.h"
#include "traces/counts/counts.h"

namespace securebase::traces {

// Each part's own time: a hop's duration without what lies in the hops that it waited for. `entry` is one of `spans`.
RequestTimes times_of(std::span<const telemetry::Span> spans, const telemetry::Span& entry);
// "GET /v1/customers/{id}": by the gateway's route where there is one, whoever answered; of a call of a function
// itself its name.
void append_route(std::string& out, std::span<const telemetry::Span> spans, const telemetry::Span& entry);

// Who called whom among the hops.
void count_edges(std::span<const telemetry::Span> spans, Counts& counts);
// The service that a hop belongs to; nullopt: a hop that is part of the one above it.
std::optional<Node> node_of(telemetry::Hop hop, std::string_view name);

}  // namespace securebase::traces
