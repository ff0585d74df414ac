// A snapshot as OTLP/HTTP (OpenTelemetry Protocol 1.x, ExportMetricsServiceRequest) in protobuf, compressed by gzip.
//
//   metric       "AWS/Lambda/Duration": namespace and name; attributes are the dimensions, the unit is UCUM's
//   counter      a cumulative, monotonic sum; gauge: a gauge
//   distribution a cumulative exponential histogram: our buckets (1/64 of an octave, linear) go by their middles into
//                those of scale 5 (1/32 of an octave, 2.2 % wide), or wider ones where there would be more than 320
//   put metrics  a summary of each minute, as CloudWatch's metric streams have it: count, sum, quantiles 0 and 1, and
//                0.5, 0.95, 0.99 where they are known
#pragma once

#include <vector>

#include "monitoring/exports/snapshot.h"

namespace securebase::monitoring::exports {

// Each of at most 2000 points.
std::vector<Payload> otlp_requests(const Snapshot& snapshot);

// What an ExportMetricsServiceResponse says was not taken (partial success).
struct Rejected {
  std::uint64_t points = 0;
  std::string reason;
};
Rejected rejected_by(std::string_view answer);

// CloudWatch's unit as UCUM has it: "Milliseconds" is "ms".
std::string_view ucum_unit(std::string_view unit);

}  // namespace securebase::monitoring::exports
