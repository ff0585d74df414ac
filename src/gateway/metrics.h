// Every metric that the gateway records: CloudWatch's of AWS/ApiGateway, by {ApiName} and {ApiName, Stage}, and with
// metrics_enabled also by {ApiName, Stage, Resource, Method}.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::gateway {

inline constexpr std::string_view kNamespace = "AWS/ApiGateway";

inline constexpr telemetry::Metric kCount{kNamespace, "Count", telemetry::Unit::kCount, "Requests."};
inline constexpr telemetry::Metric k4xxError{kNamespace, "4XXError", telemetry::Unit::kCount,
                                             "Answers with status 400 to 499."};
inline constexpr telemetry::Metric k5xxError{kNamespace, "5XXError", telemetry::Unit::kCount,
                                             "Answers with status 500 to 599."};
inline constexpr telemetry::Metric kCacheHitCount{kNamespace, "CacheHitCount", telemetry::Unit::kCount,
                                                  "Requests answered from the stage cache."};
inline constexpr telemetry::Metric kCacheMissCount{kNamespace, "CacheMissCount", telemetry::Unit::kCount,
                                                   "Requests that the stage cache had no answer for."};
inline constexpr telemetry::Metric kLatency{kNamespace, "Latency", telemetry::Unit::kMilliseconds,
                                            "From the request's arrival to the gateway's answer, authorizer included."};
inline constexpr telemetry::Metric kIntegrationLatency{kNamespace, "IntegrationLatency", telemetry::Unit::kMilliseconds,
                                                       "From calling the integration to its answer."};

}  // namespace securebase::gateway
