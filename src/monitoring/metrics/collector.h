// Brings what the rooms record (telemetry::Registry) into the store, once a second: of a counter and of a distribution
// what is new, of a gauge its value. Recording knows nothing of it and pays nothing for it.
//
//   Counter of unit Count    each is a sample of 1: Sum and SampleCount are the number (AWS/ApiGateway Count)
//   other counters           one sample of the amount, in seconds in which there was any (AWS/CloudFront Requests)
//   Distribution             its samples; those of 0 or 1 make Average a rate (AWS/ApiGateway 4XXError)
//   Gauge                    one sample of its value, each second
//
// Where AWS has a metric under fewer dimensions too, over all values of those that are left out, the same samples go
// there as well: kRollUps in collector.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "monitoring/metrics/store.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring {

// One thread.
class Collector {
 public:
  // Both outlive it.
  Collector(telemetry::Registry& registry, Store& store) : registry_(registry), store_(store) {}

  // `time` is when what is new happened: the second before, for whoever collects at its end.
  void collect(base::TimePoint time);

 private:
  struct Source {
    const telemetry::Registry::Series* series;
    std::vector<SeriesRef> targets;  // empty: the store has no room for it
    std::uint64_t counted = 0;
    telemetry::Sketch seen;
  };

  void take_up_new();
  static Summary news_of(Source& source);

  telemetry::Registry& registry_;
  Store& store_;
  std::vector<Source> sources_;
  bool complained_ = false;
};

}  // namespace securebase::monitoring
