// The metrics of an OTLP export request (OpenTelemetry Protocol 1.x, ExportMetricsServiceRequest), whichever encoding
// they came in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace securebase::monitoring::otlp {

using Attributes = std::vector<std::pair<std::string, std::string>>;  // values as text

enum class Kind { kGauge, kSum, kHistogram, kExponentialHistogram, kSummary };
enum class Temporality { kUnspecified = 0, kDelta = 1, kCumulative = 2 };

struct Point {
  Attributes attributes;
  std::uint64_t start_ns = 0;  // since 1970; 0: not said
  std::uint64_t time_ns = 0;
  double value = 0;         // of a gauge or a sum
  std::uint64_t count = 0;  // of histograms
  std::optional<double> sum;
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::vector<std::uint64_t> counts;  // explicit bounds: one more than bounds
  std::vector<double> bounds;
  int scale = 0;  // exponential: bucket i of an offset o holds (b^(o+i), b^(o+i+1)], b = 2^(2^-scale)
  std::uint64_t zeros = 0;
  std::int64_t offset = 0;  // of `counts`
  std::vector<std::uint64_t> negative_counts;
  std::int64_t negative_offset = 0;
  bool no_value = false;  // the flag of a series that ended
};

struct Metric {
  std::string name;
  std::string unit;  // UCUM: "ms", "By", "1"
  Kind kind = Kind::kGauge;
  Temporality temporality = Temporality::kUnspecified;
  bool monotonic = false;
  std::vector<Point> points;
};

struct ResourceMetrics {
  Attributes resource;
  std::vector<Metric> metrics;
};

struct Limits {
  std::size_t points = 100'000;  // of a request; an exporter sends some thousands
  std::size_t buckets = 10'000;  // of a point
  std::size_t attributes = 128;  // of a point, a resource
};

// kMalformed: no such request; kLimit: more than `limits` allow.
Result<std::vector<ResourceMetrics>> parse_protobuf(std::string_view body, const Limits& limits = {});
Result<std::vector<ResourceMetrics>> parse_json(std::string_view body, const Limits& limits = {});

}  // namespace securebase::monitoring::otlp
