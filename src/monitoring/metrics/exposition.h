// What a Prometheus scrape gets: everything the rooms record, and the newest minute of what clients put.
//
//   Counter        aws_cloudfront_requests_total
//   Gauge          its name and unit: securebase_monitoring_series
//   Distribution   a classic histogram: aws_apigateway_latency_milliseconds_bucket{api_name="a",le="100.0"}, _sum,
//   _count.
//                  Values of one bucket of ours (0.79 % around its middle) fall on the same side of a bound.
//   put metrics    gauges _average, _sum, _minimum, _maximum, _sample_count of the newest whole minute, as the
//   CloudWatch
//                  exporter of Prometheus names them
#pragma once

#include <string>
#include <string_view>

#include "monitoring/metrics/prometheus.h"
#include "monitoring/metrics/store.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring {

enum class ExpositionFormat { kPrometheus, kOpenMetrics };
// From a request's Accept: OpenMetrics only if it is asked for.
ExpositionFormat exposition_format(std::string_view accept);
std::string_view content_type_of(ExpositionFormat format);

// Any thread but a worker's.
std::string expose(const telemetry::Registry& registry, const Store& store, ExpositionFormat format,
                   base::TimePoint now);

}  // namespace securebase::monitoring
