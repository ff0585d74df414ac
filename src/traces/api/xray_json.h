// Answers of X-Ray's API, as JSON.
#pragma once

#include <string>

#include "base/json.h"
#include "traces/api/query.h"
#include "traces/counts/counts.h"

namespace securebase::traces {

// An element of TraceSummaries.
base::Json summary_json(const Trace& trace, std::string_view account);
// An element of Traces, of BatchGetTraces.
base::Json whole_json(const Trace& trace);
// Services, of GetServiceGraph and GetTraceGraph.
base::Json services_json(const Counts& counts, double begin, double end, std::string_view account);

// Numbers of calls, as EdgeStatistics and ServiceStatistics; and how long they took.
base::Json statistics_json(const EdgeCounts& counts);
base::Json histogram_json(const Histogram& histogram);

}  // namespace securebase::traces
