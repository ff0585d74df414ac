// Every metric that functions record (AWS Lambda developer guide, "Types of metrics for Lambda functions"). Dimensions:
// FunctionName; for calls of an alias or a version also FunctionName and Resource (NAME:QUALIFIER). What is about the
// account has none.
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

inline constexpr Metric kUnreservedExecutions{"AWS/Lambda", "UnreservedConcurrentExecutions", Unit::kCount,
                                              "Calls under way of all functions that reserve no concurrency."};
inline constexpr Metric kProvisionedInvocations{"AWS/Lambda", "ProvisionedConcurrencyInvocations", Unit::kCount,
                                                "Calls within what is kept warm."};
inline constexpr Metric kProvisionedSpillover{"AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", Unit::kCount,
                                              "Calls beyond what is kept warm."};
inline constexpr Metric kProvisionedExecutions{"AWS/Lambda", "ProvisionedConcurrentExecutions", Unit::kCount,
                                               "Warm instances in use."};
inline constexpr Metric kProvisionedUtilization{"AWS/Lambda", "ProvisionedConcurrencyUtilization", Unit::kCount,
                                                "Warm instances in use, as a share of those kept: 0 to 1."};
inline constexpr Metric kAsyncReceived{"AWS/Lambda", "AsyncEventsReceived", Unit::kCount,
                                       "Events accepted that nobody waits for."};
inline constexpr Metric kAsyncAge{"AWS/Lambda", "AsyncEventAge", Unit::kMilliseconds,
                                  "From accepting such an event until it is handed over, at each try."};
inline constexpr Metric kAsyncDropped{"AWS/Lambda", "AsyncEventsDropped", Unit::kCount,
                                      "Such events given up: too old, failed too often, or their function is gone."};

}  // namespace securebase::functions
