// A snapshot as Prometheus' remote write 1.0 (prometheus.io, "Prometheus Remote-Write Specification"): WriteRequests in
// protobuf, compressed by snappy. Names, labels and bounds are those of /metrics, so that a receiver has the same
// series whether it scrapes or is written to; what clients put bears the end of its minute as its time, and ends with a
// stale marker.
#pragma once

#include <vector>

#include "monitoring/exports/snapshot.h"

namespace securebase::monitoring::exports {

// Each of at most 2000 samples, as Prometheus itself sends. No two samples are of one series, whatever names clients
// chose: a receiver would refuse the whole request.
std::vector<Payload> remote_write_requests(const Snapshot& snapshot);

}  // namespace securebase::monitoring::exports
