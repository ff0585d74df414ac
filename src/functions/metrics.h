// Every metric that functions record (AWS Lambda developer guide, "Types of metrics for Lambda functions"). Dimension:
// FunctionName.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::functions {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr Metric kInvocations{"AWS/Lambda", "Invocations", Unit::kCount,
                                     "Calls that ran, whether they succeeded or not; throttled ones are not in it."};
inline constexpr Metric kErrors{"AWS/Lambda", "Errors", Unit::kCount,
                                "Calls that ended in a function error: raised, timed out, exited."};
inline constexpr Metric kThrottles{"AWS/Lambda", "Throttles", Unit::kCount,
                                   "Calls refused because the function's or the account's concurrency was reached."};
inline constexpr Metric kDuration{"AWS/Lambda", "Duration", Unit::kMilliseconds,
                                  "From handing the event to the instance until its answer."};
inline constexpr Metric kInitDuration{"AWS/Lambda", "InitDuration", Unit::kMilliseconds,
                                      "From the start of an instance until it asked for its first event."};
inline constexpr Metric kConcurrentExecutions{"AWS/Lambda", "ConcurrentExecutions", Unit::kCount,
                                              "Calls under way, waiting ones included."};

}  // namespace securebase::functions
