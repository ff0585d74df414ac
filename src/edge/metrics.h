// Every metric that the edge records. Dimensions: DistributionId, and Region=Global, as CloudFront's own.
#pragma once

#include "telemetry/metrics.h"

namespace securebase::edge {

using telemetry::Metric;
using telemetry::Unit;

inline constexpr Metric kRequests{"AWS/CloudFront", "Requests", Unit::kNone, "Viewer requests, all methods."};
inline constexpr Metric kBytesDownloaded{"AWS/CloudFront", "BytesDownloaded", Unit::kNone,
                                         "Bytes of bodies sent to viewers."};
inline constexpr Metric kBytesUploaded{"AWS/CloudFront", "BytesUploaded", Unit::kNone,
                                       "Bytes of bodies that viewers announced."};
inline constexpr Metric kErrorRate4xx{"AWS/CloudFront", "4xxErrorRate", Unit::kPercent,
                                      "100 for an answer with a 4xx status, else 0: the average is the rate."};
inline constexpr Metric kErrorRate5xx{"AWS/CloudFront", "5xxErrorRate", Unit::kPercent, "The same for 5xx."};
inline constexpr Metric kTotalErrorRate{"AWS/CloudFront", "TotalErrorRate", Unit::kPercent, "The same for both."};
inline constexpr Metric kCacheHitRate{"AWS/CloudFront", "CacheHitRate", Unit::kPercent,
                                      "100 for a cacheable request that a stored response answered, else 0."};
inline constexpr Metric kOriginLatency{"AWS/CloudFront", "OriginLatency", Unit::kMilliseconds,
                                       "From asking the origin to the end of its head."};

struct Recorders {
  telemetry::Counter& requests;
  telemetry::Counter& bytes_downloaded;
  telemetry::Counter& bytes_uploaded;
  telemetry::Distribution& error_rate_4xx;
  telemetry::Distribution& error_rate_5xx;
  telemetry::Distribution& total_error_rate;
  telemetry::Distribution& cache_hit_rate;
  telemetry::Distribution& origin_latency;
};
inline Recorders recorders(telemetry::Registry& registry, const std::string& distribution) {
  const telemetry::Dimensions of{{"DistributionId", distribution}, {"Region", "Global"}};
  return {registry.counter(kRequests, of),          registry.counter(kBytesDownloaded, of),
          registry.counter(kBytesUploaded, of),     registry.distribution(kErrorRate4xx, of),
          registry.distribution(kErrorRate5xx, of), registry.distribution(kTotalErrorRate, of),
          registry.distribution(kCacheHitRate, of), registry.distribution(kOriginLatency, of)};
}

}  // namespace securebase::edge
