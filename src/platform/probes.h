// What is probed, and what of that is recorded.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "monitoring/monitoring.h"
#include "platform/uptime.h"
#include "prober/prober.h"
#include "stack/stack.h"
#include "synthetics/synthetics.h"

namespace securebase::platform {

// "portal=/ api=/api/v1/health", the distribution's tag securebase:probe; its first page where it says nothing. Words
// that are not canary=/path are left out, with a warning.
std::vector<prober::Target> targets_of(const stack::Stack& stack, const std::string& base_url);

// As the metrics' store takes them. Without those outside of its window, an hour inside of either end: one of them
// would have it refuse the others too. So of an outage of weeks the last two count; the rest can never be recorded, and
// is not tried again for ever. Probes come each second and are kept so, runs of canaries by the minute.
std::vector<monitoring::MetricSamples> recordable(std::span<const UptimeSample> samples, base::TimePoint now);
std::vector<monitoring::MetricSamples> recordable(std::span<const synthetics::Sample> samples, base::TimePoint now);

}  // namespace securebase::platform
