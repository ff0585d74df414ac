// What exports tell of themselves. Dimension: Exporter=remote-write or otlp.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::monitoring::exports {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr Metric kSent{"SecureBase/Export", "SamplesSent", Unit::kCount, "Samples that a receiver took."};
inline constexpr Metric kDropped{"SecureBase/Export", "SamplesDropped", Unit::kCount,
                                 "Samples given up because the queue was full, the oldest first."};
inline constexpr Metric kRefused{"SecureBase/Export", "SamplesRefused", Unit::kCount,
                                 "Samples that a receiver refused for good."};
inline constexpr Metric kRetries{"SecureBase/Export", "Retries", Unit::kCount,
                                 "Attempts that failed and are made again."};
inline constexpr Metric kQueueBytes{"SecureBase/Export", "QueueBytes", Unit::kBytes, "Bodies that wait."};

}  // namespace securebase::monitoring::exports
