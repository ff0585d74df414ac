// Every metric that logs record: CloudWatch's of AWS/Logs (CloudWatch Logs user guide, "Monitoring with CloudWatch
// metrics"), dimension LogGroupName; and what the platform's own store has to say.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::logs {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr std::string_view kNamespace = "AWS/Logs";
inline constexpr std::string_view kOwnNamespace = "SecureBase/Logs";

inline constexpr Metric kIncomingEvents{kNamespace, "IncomingLogEvents", Unit::kCount, "Log events that were stored."};
inline constexpr Metric kIncomingBytes{kNamespace, "IncomingBytes", Unit::kBytes, "Bytes of their messages."};
inline constexpr Metric kDroppedLines{kOwnNamespace, "DroppedLines", Unit::kCount,
                                      "Lines of the platform's rooms that found no place."};
inline constexpr Metric kDeliveredBatches{kOwnNamespace, "DeliveredBatches", Unit::kCount,
                                          "Batches of log events that subscribed functions took."};
inline constexpr Metric kDroppedBatches{kOwnNamespace, "DroppedBatches", Unit::kCount,
                                        "Batches of log events that subscribed functions did not take."};

}  // namespace securebase::logs
