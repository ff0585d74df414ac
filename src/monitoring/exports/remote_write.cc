#include "monitoring/exports/remote_write.h"

#include <snappy.h>

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "base/hash.h"
#include "monitoring/metrics/prometheus.h"
#include "monitoring/metrics/protobuf.h"

namespace securebase::monitoring::exports {

namespace {

constexpr std::size_t kMostSamples = 2000;  // of a request
// Prometheus' value for "this series ends here" (model/value, StaleNaN): a NaN that no computation gives.
constexpr std::uint64_t kStale = 0x7ff0000000000002;

std::int64_t since_1970_ms(base::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// Field numbers are those of prometheus/prompb: remote.proto and types.proto.
class Writer {
 public:
  // `le` is a histogram's bound; empty: none.
  void sample(std::string_view name, const PrometheusLabels& labels, double value, base::TimePoint time,
              std::string_view le = {}) {
    all_.assign({{"__name__", name}});
    if (!le.empty()) all_.emplace_back("le", le);
    for (const auto& [label_name, label_value] : labels) {
      if (le.empty() || label_name != "le") all_.emplace_back(label_name, label_value);
    }
    std::ranges::sort(all_);
    series_.clear();
    for (const auto& [label_name, label_value] : all_) label(label_name, label_value);
    if (!written_.insert(base::hash64(series_)).second) return;

    std::string sample;
    put_proto_real(sample, 1, value);
    put_proto_integer(sample, 2, static_cast<std::uint64_t>(since_1970_ms(time)));
    put_proto_bytes(series_, 2, sample);
    put_proto_bytes(request_, 1, series_);
    if (++samples_ == kMostSamples) finish_request();
  }

  std::vector<Payload> finish() {
    finish_request();
    return std::move(payloads_);
  }

 private:
  void label(std::string_view name, std::string_view value) {
    label_.clear();
    put_proto_bytes(label_, 1, name);
    put_proto_bytes(label_, 2, value);
    put_proto_bytes(series_, 1, label_);
  }

  void finish_request() {
    if (samples_ == 0) return;
    Payload payload;
    snappy::Compress(request_.data(), request_.size(), &payload.body);
    payload.samples = samples_;
    payloads_.push_back(std::move(payload));
    request_.clear();
    samples_ = 0;
  }

  std::vector<std::pair<std::string_view, std::string_view>> all_;
  std::string label_;
  std::string series_;
  std::string request_;
  std::size_t samples_ = 0;
  std::unordered_set<std::uint64_t> written_;  // hashes of all labels
  std::vector<Payload> payloads_;
};

void write_histogram(Writer& writer, const std::string& name, const PrometheusLabels& labels, telemetry::Unit unit,
                     const telemetry::Sketch& sketch, base::TimePoint time) {
  const auto bounds = histogram_bounds(unit);
  auto bucket = sketch.buckets().begin();
  std::uint64_t below = 0;
  for (const double value : bounds.values) {
    const double bound = value * bounds.scale;
    const int last = telemetry::Buckets::index(bound);
    for (; bucket != sketch.buckets().end() && bucket->index <= last; ++bucket) below += bucket->count;
    writer.sample(name + "_bucket", labels, static_cast<double>(below), time, prometheus_number(bound));
  }
  const auto count = static_cast<double>(sketch.count());
  writer.sample(name + "_bucket", labels, count, time, "+Inf");
  writer.sample(name + "_sum", labels, sketch.sum(), time);
  writer.sample(name + "_count", labels, count, time);
}

void write_recorded(Writer& writer, const telemetry::Registry::Series& series, base::TimePoint time) {
  const auto& metric = *series.metric;
  const auto name = prometheus_name(metric.name_space, metric.name, to_string(metric.unit));
  const auto labels = prometheus_labels(series.dimensions);
  if (series.counter) writer.sample(name + "_total", labels, static_cast<double>(series.counter->total()), time);
  if (series.gauge) writer.sample(name, labels, series.gauge->value(), time);
  if (series.distribution) write_histogram(writer, name, labels, metric.unit, series.distribution->total(), time);
}

}  // namespace

std::vector<Payload> remote_write_requests(const Snapshot& snapshot) {
  Writer writer;
  for (const auto* series : snapshot.recorded) write_recorded(writer, *series, snapshot.time);
  const auto each_gauge = [&](const PutMinute& minute, auto write) {
    const auto name = prometheus_name(minute.metric.name_space, minute.metric.name, unit_name(minute.unit));
    const auto labels = prometheus_labels(minute.metric.dimensions);
    for (const auto& [suffix, value] : gauges_of(minute)) write(name + std::string(suffix), labels, value);
  };
  for (const auto& minute : snapshot.put) {
    each_gauge(minute, [&](const std::string& name, const PrometheusLabels& labels, double value) {
      writer.sample(name, labels, value, minute.start + std::chrono::minutes{1});
    });
  }
  for (const auto& minute : snapshot.ended) {
    each_gauge(minute, [&](const std::string& name, const PrometheusLabels& labels, double) {
      writer.sample(name, labels, std::bit_cast<double>(kStale), snapshot.time);
    });
  }
  return writer.finish();
}

}  // namespace securebase::monitoring::exports
