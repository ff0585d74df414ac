// The door of metrics: CloudWatch's, kept in <state>/metrics for fifteen months (docs/metrics.md).
//
// What the rooms record is collected once a second; clients put more (PutMetricData, OTLP). Whoever wants numbers back
// reads series().
//
// Threads: a Metrics has three of its own, for collecting, logging and maintenance. All it offers may be called from
// any thread but a worker's: it may wait for a lock or a file.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "aws/aws.h"
#include "base/clock.h"
#include "base/result.h"
#include "monitoring/series.h"
#include "net/event.h"
#include "net/worker.h"
#include "telemetry/metrics.h"

namespace securebase::monitoring {

struct MetricsSettings {
  std::filesystem::path directory;                   // <state>/metrics
  std::size_t series_limit = 200'000;                // metrics with a unit; beyond, PutMetricData gets LimitExceeded
  std::size_t memory_bytes = std::size_t{64} << 20;  // of samples that are not in segments yet, before a flush begins
};

// Samples of one metric at one time, as PutMetricData has them.
struct MetricSamples {
  MetricId metric;  // dimensions in any order
  std::string unit = "None";
  base::TimePoint time;
  bool high_resolution = false;                          // StorageResolution=1: seconds are told apart for three hours
  std::vector<std::pair<double, std::uint64_t>> values;  // and how often each
};

// Where the metrics are pushed, besides being kept (docs/metrics.md, "Out"). An empty URL: not there.
struct ExportSettings {
  std::string remote_write_url;                // Prometheus' remote write 1.0
  std::filesystem::path remote_write_headers;  // a file of "Name: value" lines, read at each push; empty: none
  std::string otlp_url;                        // OTLP/HTTP: the whole URL, "http://collector:4318/v1/metrics"
  std::filesystem::path otlp_headers;
  std::chrono::milliseconds interval{15'000};
  std::filesystem::path queues;  // a directory, for what a receiver could not take yet; empty: it is in memory only
};

class Metrics {
 public:
  // `registry` and `clock` outlive it.
  static Result<std::unique_ptr<Metrics>> open(MetricsSettings settings, telemetry::Registry& registry,
                                               const base::Clock& clock = base::system_clock());
  // Collects once more, and writes what is pending.
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  const Series& series() const;

  // All or none. kMalformed: a metric without namespace or name, an unknown unit, a number that is none, a time outside
  // of two weeks back and two hours ahead. kLimit: too many series.
  Result<Done> put(std::span<const MetricSamples> samples);

  // What was put before is on disk when it returns; by itself it is so within a second.
  Result<Done> write();

  // POST /v1/metrics of the operator's port: OTLP/HTTP in protobuf or JSON; the answer's body is in the same.
  // kUnsupported: another content type, or an encoding other than gzip and none. kMalformed, kLimit, kUnavailable:
  // nothing was taken.
  Result<std::string> take_otlp(std::string_view body, std::string_view content_type, std::string_view encoding = {});

  // Once. `worker`, from whose loop is sent, and `pool`, where snapshots are made, outlive stop_exports(). kMalformed:
  // a URL or a file of headers that is none. Not from a worker's thread, either of them.
  Result<Done> start_exports(const ExportSettings& settings, net::Worker& worker, net::Pool& pool);
  // Pushes once more and gives the receivers two seconds to take it.
  void stop_exports();

  // PutMetricData, GetMetricStatistics, ListMetrics. The operations must not outlive it.
  void add_operations(aws::Operations& operations);

  // What the operator's port answers to GET /metrics; `accept` is the request's Accept field, and `content_type` is set
  // to what came of it (Prometheus text 0.0.4, or OpenMetrics 1.0.0 if asked).
  std::string exposition(std::string_view accept, std::string& content_type) const;

 private:
  struct Engine;
  explicit Metrics(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::monitoring
