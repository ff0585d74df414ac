#include <benchmark/benchmark.h>

#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace securebase::telemetry {
namespace {

constexpr Metric kCount{"Bench", "Count", Unit::kCount, ""};
constexpr Metric kLatency{"Bench", "Latency", Unit::kMilliseconds, ""};

void count(benchmark::State& state) {
  Registry registry;
  Counter& counter = registry.counter(kCount);
  for (auto _ : state) counter.add();
}
BENCHMARK(count);

void record_a_value(benchmark::State& state) {
  Registry registry;
  Distribution& latency = registry.distribution(kLatency);
  double value = 0.1;
  for (auto _ : state) {
    latency.record(value);
    value = value < 100 ? value * 1.01 : 0.1;
  }
}
BENCHMARK(record_a_value);

void record_a_span(benchmark::State& state) {
  Spans spans;
  const TraceContext trace = new_trace(base::system_clock().now());
  for (auto _ : state) {
    SpanGuard span(&spans, base::system_clock(), trace, "bench", "GET /v1/customers/{id}");
    span.status(200);
  }
}
BENCHMARK(record_a_span);

}  // namespace
}  // namespace securebase::telemetry
