#include "monitoring/exports/otlp_request.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "monitoring/exports/gzip.h"
#include "monitoring/metrics/protobuf.h"

namespace securebase::monitoring::exports {

namespace {

constexpr std::size_t kMostPoints = 2000;  // of a request
constexpr int kFinestScale = 5;
constexpr std::size_t kMostBuckets = 320;
constexpr std::uint64_t kCumulative = 2;

std::uint64_t nanoseconds(base::TimePoint time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

void put_proto_fixed(std::string& out, std::uint32_t number, std::uint64_t value) {
  put_varint(out, std::uint64_t{number} << 3 | 1);
  put_fixed(out, value);
}

// Field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto and common.proto.
std::string key_value(std::string_view key, std::string_view value) {
  std::string any;
  put_proto_bytes(any, 1, value);
  std::string pair;
  put_proto_bytes(pair, 1, key);
  put_proto_bytes(pair, 2, any);
  return pair;
}

void put_point_head(std::string& point, const telemetry::Dimensions& dimensions, std::uint32_t attributes,
                    base::TimePoint begun, base::TimePoint time) {
  for (const auto& [name, value] : dimensions) put_proto_bytes(point, attributes, key_value(name, value));
  put_proto_fixed(point, 2, nanoseconds(begun));
  put_proto_fixed(point, 3, nanoseconds(time));
}

std::string number_point(const telemetry::Dimensions& dimensions, base::TimePoint begun, base::TimePoint time,
                         double value) {
  std::string point;
  put_point_head(point, dimensions, 7, begun, time);
  put_proto_real(point, 4, value);
  return point;
}

// Bucket i of a scale holds (b^i, b^(i+1)], b = 2^(2^-scale).
int exponential_index(double value, int scale) {
  return static_cast<int>(std::ceil(std::ldexp(std::log2(value), scale))) - 1;
}

void put_buckets(std::string& point, const telemetry::Sketch& sketch, int& scale) {
  const auto& all = sketch.buckets();
  const auto first = std::ranges::find_if(all, [](const auto& bucket) { return bucket.index >= 0; });
  if (first == all.end()) return;
  const auto index = [&](const telemetry::Sketch::Bucket& bucket) {
    return exponential_index(telemetry::Buckets::middle(bucket.index), scale);
  };
  while (static_cast<std::size_t>(index(all.back()) - index(*first)) >= kMostBuckets) --scale;
  const int offset = index(*first);
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(index(all.back()) - offset) + 1);
  for (auto bucket = first; bucket != all.end(); ++bucket) {
    counts[static_cast<std::size_t>(index(*bucket) - offset)] += bucket->count;
  }
  std::string packed;
  for (const auto count : counts) put_varint(packed, count);
  std::string buckets;
  put_proto_integer(buckets, 1, zigzag(offset));
  put_proto_bytes(buckets, 2, packed);
  put_proto_bytes(point, 8, buckets);
}

std::string exponential_point(const telemetry::Dimensions& dimensions, base::TimePoint begun, base::TimePoint time,
                              const telemetry::Sketch& sketch) {
  std::string point;
  put_point_head(point, dimensions, 1, begun, time);
  put_proto_fixed(point, 4, sketch.count());
  put_proto_real(point, 5, sketch.sum());
  const auto& buckets = sketch.buckets();
  int scale = kFinestScale;
  put_buckets(point, sketch, scale);
  put_proto_integer(point, 6, zigzag(scale));
  const bool zeros = !buckets.empty() && buckets.front().index < 0;
  put_proto_fixed(point, 7, zeros ? buckets.front().count : 0);
  if (sketch.minimum()) put_proto_real(point, 12, *sketch.minimum());
  if (sketch.maximum()) put_proto_real(point, 13, *sketch.maximum());
  return point;
}

std::string summary_point(const PutMinute& minute) {
  std::string point;
  put_point_head(point, minute.metric.dimensions, 7, minute.start, minute.start + std::chrono::minutes{1});
  put_proto_fixed(point, 4, minute.samples);
  put_proto_real(point, 5, minute.sum);
  const auto quantile = [&](double rank, std::optional<double> value) {
    if (!value) return;
    std::string pair;
    put_proto_real(pair, 1, rank);
    put_proto_real(pair, 2, *value);
    put_proto_bytes(point, 6, pair);
  };
  quantile(0, minute.minimum);
  quantile(0.5, minute.p50);
  quantile(0.95, minute.p95);
  quantile(0.99, minute.p99);
  quantile(1, minute.maximum);
  return point;
}

// Puts metrics of one point each together to requests.
class Request {
 public:
  // `field` is that of the kind in Metric; `data` its message.
  void metric(std::string_view name_space, std::string_view name, std::string_view description, std::string_view unit,
              std::uint32_t field, std::string_view data) {
    std::string metric;
    put_proto_bytes(metric, 1, std::string(name_space) + "/" + std::string(name));
    if (!description.empty()) put_proto_bytes(metric, 2, description);
    put_proto_bytes(metric, 3, ucum_unit(unit));
    put_proto_bytes(metric, field, data);
    put_proto_bytes(metrics_, 2, metric);
    if (++points_ == kMostPoints) finish_request();
  }

  std::vector<Payload> finish() {
    finish_request();
    return std::move(payloads_);
  }

 private:
  void finish_request() {
    if (points_ == 0) return;
    std::string scope;
    put_proto_bytes(scope, 1, "securebase/telemetry");
    std::string scope_metrics;
    put_proto_bytes(scope_metrics, 1, scope);
    scope_metrics += metrics_;
    std::string resource;
    put_proto_bytes(resource, 1, key_value("service.name", "securebase"));
    std::string resource_metrics;
    put_proto_bytes(resource_metrics, 1, resource);
    put_proto_bytes(resource_metrics, 2, scope_metrics);
    std::string request;
    put_proto_bytes(request, 1, resource_metrics);
    payloads_.push_back({gzip(request), points_});
    metrics_.clear();
    points_ = 0;
  }

  std::string metrics_;  // fields of ScopeMetrics
  std::size_t points_ = 0;
  std::vector<Payload> payloads_;
};

void add_recorded(Request& request, const telemetry::Registry::Series& series, const Snapshot& snapshot) {
  const auto& metric = *series.metric;
  const auto unit = to_string(metric.unit);
  std::string data;
  std::uint32_t field = 0;
  if (series.gauge) {
    field = 5;
    put_proto_bytes(data, 1, number_point(series.dimensions, snapshot.begun, snapshot.time, series.gauge->value()));
  } else if (series.counter) {
    field = 7;
    const auto total = static_cast<double>(series.counter->total());
    put_proto_bytes(data, 1, number_point(series.dimensions, snapshot.begun, snapshot.time, total));
    put_proto_integer(data, 2, kCumulative);
    put_proto_integer(data, 3, 1);  // monotonic
  } else {
    field = 10;
    const auto total = series.distribution->total();
    put_proto_bytes(data, 1, exponential_point(series.dimensions, snapshot.begun, snapshot.time, total));
    put_proto_integer(data, 2, kCumulative);
  }
  request.metric(metric.name_space, metric.name, metric.description, unit, field, data);
}

}  // namespace

std::string_view ucum_unit(std::string_view unit) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kUnits{{
      {"Seconds", "s"},
      {"Microseconds", "us"},
      {"Milliseconds", "ms"},
      {"Bytes", "By"},
      {"Kilobytes", "kBy"},
      {"Megabytes", "MBy"},
      {"Gigabytes", "GBy"},
      {"Terabytes", "TBy"},
      {"Bits", "bit"},
      {"Kilobits", "kbit"},
      {"Megabits", "Mbit"},
      {"Gigabits", "Gbit"},
      {"Terabits", "Tbit"},
      {"Percent", "%"},
      {"Count", "{count}"},
      {"Bytes/Second", "By/s"},
      {"Kilobytes/Second", "kBy/s"},
      {"Megabytes/Second", "MBy/s"},
      {"Gigabytes/Second", "GBy/s"},
      {"Terabytes/Second", "TBy/s"},
      {"Bits/Second", "bit/s"},
      {"Kilobits/Second", "kbit/s"},
      {"Megabits/Second", "Mbit/s"},
      {"Gigabits/Second", "Gbit/s"},
      {"Terabits/Second", "Tbit/s"},
      {"Count/Second", "{count}/s"},
  }};
  const auto found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::string_view>::first);
  return found == kUnits.end() ? "1" : found->second;
}

std::vector<Payload> otlp_requests(const Snapshot& snapshot) {
  Request request;
  for (const auto* series : snapshot.recorded) add_recorded(request, *series, snapshot);
  for (const auto& minute : snapshot.put) {
    std::string data;
    put_proto_bytes(data, 1, summary_point(minute));
    request.metric(minute.metric.name_space, minute.metric.name, "", unit_name(minute.unit), 11, data);
  }
  return request.finish();
}

Rejected rejected_by(std::string_view answer) {
  Rejected rejected;
  for (ProtoReader fields(answer); fields.next();) {
    if (fields.number() != 1) continue;
    for (ProtoReader partial(fields.bytes()); partial.next();) {
      if (partial.number() == 1) rejected.points = partial.integer();
      if (partial.number() == 2) rejected.reason = partial.bytes();
    }
  }
  return rejected;
}

}  // namespace securebase::monitoring::exports
