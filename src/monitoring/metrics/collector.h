// Brings what the rooms record (telemetry::Registry) into the store, once a second: of a counter and of a distribution
// what is new, of a gauge its value. Recording knows nothing of it and pays nothing for it.
//
//   Counter of unit Count    each is a sample of 1: Sum and SampleCount are the number (AWS/ApiGateway Count)
//   some of them             and the others of what they are a part of are samples of 0, so that Average is the rate,
//   as
//                            AWS has it: kParts in collector.cc (AWS/ApiGateway 5XXError among Count)
//   other counters           one sample of the amount, in seconds in which there was any (AWS/CloudFront Requests)
//   Distribution             its samples
//   Gauge                    one sample of its value, each second
//
// Where AWS has a metric under fewer dimensions too, over all values of those that are left out, the same samples go
// there as well: kRollUps in collector.cc.
#pragma once

#include <cstdint>
#include <map>
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
    std::vector<const telemetry::Counter*> whole{};  // of a part: the counters that sum up to all
    std::uint64_t whole_counted = 0;
  };

  void take_up_new();
  void find_whole(Source& source) const;
  static Summary news_of(Source& source);

  telemetry::Registry& registry_;
  Store& store_;
  std::vector<Source> sources_;
  // By metric and dimensions: counters that others are a part of.
  std::map<MetricId, const telemetry::Counter*> wholes_;
  bool complained_ = false;
};

}  // namespace securebase::monitoring
