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
  std::vector<Span> taken;
  int recorded = 0;
  for (auto _ : state) {
    SpanGuard span(&spans, base::system_clock(), trace, Hop::kEdge, "d111111abcdef8.cloudfront.net",
                   "/api/v1/customers/abc123/invoices");
    span.span().route.assign("/v1/customers/{id}/invoices");
    span.status(200);
    if (++recorded == 4000) {  // as the reader keeps up
      recorded = 0;
      taken.clear();
      spans.take(taken);
    }
  }
}
BENCHMARK(record_a_span);

}  // namespace
}  // namespace securebase::telemetry
