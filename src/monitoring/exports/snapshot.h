// What one round of exports says, whatever the protocol: everything that the rooms recorded since the start, and of
// what clients put the minutes that no earlier round had.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "monitoring/metrics/newest_minutes.h"
#include "monitoring/metrics/store.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring::exports {

struct Snapshot {
  base::TimePoint begun;  // since when counters count
  base::TimePoint time;
  std::vector<const telemetry::Registry::Series*> recorded;
  std::vector<PutMinute> put;
  // Put metrics whose last sample is more than five minutes old, told once: their last minutes.
  std::vector<PutMinute> ended;
};

// A request's body, as it is sent, and how many samples it carries.
struct Payload {
  std::string body;
  std::size_t samples = 0;
};

// Takes snapshots. One thread at a time, which may block. Holds what it said last of each put metric (at most 10,000).
class Snapshots {
 public:
  // Both outlive it and the snapshots.
  Snapshots(const telemetry::Registry& registry, const Store& store, base::TimePoint begun)
      : registry_(registry), store_(store), begun_(begun) {}

  Snapshot take(base::TimePoint now);

 private:
  const telemetry::Registry& registry_;
  const Store& store_;
  const base::TimePoint begun_;
  base::TimePoint minute_;  // up to which put metrics were looked at
  std::map<std::pair<MetricId, UnitNumber>, base::TimePoint> said_;
};

}  // namespace securebase::monitoring::exports
