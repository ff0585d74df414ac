// OTLP's metrics into the store.
//
//   namespace    service.namespace and service.name of the resource, "shop/checkout"; "OTLP" without them
//   dimensions   the point's attributes
//   unit         UCUM's name as CloudWatch's: "ms" is Milliseconds, "By" Bytes, "1" None, "{request}" Count
//   gauge        a sample; a sum its increase, or a sample if it may fall; histograms as many samples as were counted,
//                each in the middle of its bucket, with the exact sum
//   cumulative   what came since the point before of the same series; the first one is where counting begins
//
// Summaries are refused, since quantiles cannot be added up: the answer says how many, as OTLP has it (partial
// success).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "monitoring/metrics/store.h"
#include "monitoring/otlp/points.h"

namespace securebase::monitoring::otlp {

// Any thread but a worker's.
class Intake {
 public:
  explicit Intake(Store& store, const base::Clock& clock, std::size_t cumulative_limit = 100'000)
      : store_(store), clock_(clock), cumulative_limit_(cumulative_limit) {}

  // POST /v1/metrics: the body in application/x-protobuf or application/json; the answer's body in the same.
  // kUnsupported: another content type; kMalformed, kLimit, kUnavailable: nothing was taken.
  Result<std::string> take(std::string_view body, std::string_view content_type);

 private:
  struct Refused {
    std::uint64_t points = 0;
    std::string reason;  // of the first
  };
  // What a cumulative series had at its last point.
  struct Before {
    std::uint64_t start_ns = 0;
    Point point;
    base::SteadyPoint seen;
  };

  // How cumulative series stood before a request, in the order in which it moved them; nullopt: they were not known.
  using Moved = std::vector<std::pair<std::string, std::optional<Before>>>;

  // Under mutex_, all below.
  void add(const Metric& metric, const Attributes& resource, std::vector<Datum>& data, Refused& refused, Moved& moved);
  Result<std::optional<Point>> since_before(const std::string& series, const Metric& metric, const Point& point,
                                            Moved& moved);
  // The store took nothing, and the sender may send it again: what it counts is counted then.
  void move_back(Moved moved);

  Store& store_;
  const base::Clock& clock_;
  const std::size_t cumulative_limit_;
  std::mutex mutex_;  // held while the store takes what was counted since a point before
  std::map<std::string, Before> before_;
};

// Samples that a point of a histogram stands for. kMalformed: its buckets do not fit its bounds.
Result<Summary> summary_of(const Point& point, Kind kind);

}  // namespace securebase::monitoring::otlp
