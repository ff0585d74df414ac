#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "monitoring/metrics/collector.h"
#include "monitoring/metrics/test_directory.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;

MetricId numbered(int number) {
  return {"App/Bench", "Latency", {{"Host", "host-" + std::to_string(number)}, {"Service", "checkout"}}};
}

std::unique_ptr<Store> open_store(const TestDirectory& directory, const base::Clock& clock) {
  auto store = Store::open({.directory = directory.path(), .series_limit = 1'000'000, .threads = false}, clock);
  return std::move(*store);
}

// One value each, to as many series in turn; with what the log and the heads cost.
void put_values(benchmark::State& state) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto store = open_store(directory, clock);
  std::vector<Datum> data;
  for (int i = 0; i < state.range(0); ++i) data.push_back({numbered(i), 3, Resolution::kMinute, clock.now(), {}});
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  std::int64_t samples = 0;
  for (auto _ : state) {
    for (auto& datum : data) {
      datum.samples.clear();
      datum.samples.add(tail(random));
      datum.time = clock.now();
    }
    for (std::size_t at = 0; at < data.size(); at += 1000) {
      benchmark::DoNotOptimize(store->put(std::span(data).subspan(at, std::min<std::size_t>(1000, data.size() - at))));
    }
    clock.advance(1s);
    benchmark::DoNotOptimize(store->tick());
    samples += state.range(0);
  }
  state.SetItemsProcessed(samples);
}
BENCHMARK(put_values)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// Twenty values at once to each of 1000 series, as agents gather them.
void put_lists_of_20(benchmark::State& state) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto store = open_store(directory, clock);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) values.push_back(tail(random));
  std::vector<Datum> data;
  for (int i = 0; i < 1000; ++i) data.push_back({numbered(i), 3, Resolution::kMinute, clock.now(), {}});
  for (auto _ : state) {
    std::size_t next = 0;
    for (auto& datum : data) {
      datum.samples.clear();
      for (int i = 0; i < 20; ++i) datum.samples.add(values[next++]);
      datum.time = clock.now();
    }
    benchmark::DoNotOptimize(store->put(data));
    clock.advance(1s);
    benchmark::DoNotOptimize(store->tick());
  }
  state.SetItemsProcessed(state.iterations() * 20'000);
}
BENCHMARK(put_lists_of_20)->Unit(benchmark::kMillisecond);

// From heads to segments of all four levels: a day of 100 series with a value each 15 seconds.
void flush(benchmark::State& state) {
  constexpr int kSeries = 100;
  constexpr int kSteps = 24 * 240;
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  for (auto _ : state) {
    state.PauseTiming();
    TestDirectory directory;
    base::ManualClock clock;
    auto store = open_store(directory, clock);
    for (int step = 0; step < kSteps; ++step) {
      std::vector<Datum> data;
      for (int i = 0; i < kSeries; ++i) {
        data.push_back({numbered(i), 3, Resolution::kMinute, clock.now(), {}});
        data.back().samples.add(std::nearbyint(tail(random) * 1000) / 1000);
      }
      benchmark::DoNotOptimize(store->put(data));
      clock.advance(15s);
    }
    benchmark::DoNotOptimize(store->tick());
    state.ResumeTiming();
    benchmark::DoNotOptimize(store->flush());
    state.PauseTiming();
    store.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kSeries * kSteps);
}
BENCHMARK(flush)->Unit(benchmark::kMillisecond);

// p95 over a day of series that got a value each 15 seconds.
void read_p95_of_a_day(benchmark::State& state) {
  constexpr int kSeries = 1000;
  TestDirectory directory;
  base::ManualClock clock;
  const auto store = open_store(directory, clock);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  const auto begin = clock.now();
  for (int step = 0; step < 24 * 240; ++step) {
    std::vector<Datum> data;
    for (int i = 0; i < kSeries; ++i) {
      data.push_back({numbered(i), 3, Resolution::kMinute, clock.now(), {}});
      data.back().samples.add(std::nearbyint(tail(random) * 1000) / 1000);
    }
    benchmark::DoNotOptimize(store->put(data));
    clock.advance(15s);
    if (step % 40 == 0) benchmark::DoNotOptimize(store->tick());
    if (step % 80 == 0) benchmark::DoNotOptimize(store->flush());
  }
  benchmark::DoNotOptimize(store->flush());
  std::uint64_t points = 0;
  for (auto _ : state) {
    for (int i = 0; i < kSeries; ++i) {
      const MetricQuery query{.metric = numbered(i),
                              .statistic = "p95",
                              .period = std::chrono::seconds{state.range(0)},
                              .from = begin,
                              .to = clock.now()};
      points += store->read(query)->size();
    }
  }
  state.counters["points"] = static_cast<double>(points) / static_cast<double>(state.iterations());
  const auto figures = store->figures();
  state.counters["bytes/sample"] = static_cast<double>(figures.segment_bytes) / (24 * 240 * kSeries);
}
BENCHMARK(read_p95_of_a_day)->Arg(60)->Arg(300)->Arg(3600)->Unit(benchmark::kMillisecond);

// One second's work of the collector: 5000 series, of which a share was recorded to.
void collect(benchmark::State& state) {
  static constexpr telemetry::Metric kCount{"Bench", "Count", telemetry::Unit::kCount, ""};
  static constexpr telemetry::Metric kLatency{"Bench", "Latency", telemetry::Unit::kMilliseconds, ""};
  TestDirectory directory;
  base::ManualClock clock;
  const auto store = open_store(directory, clock);
  telemetry::Registry registry;
  std::vector<telemetry::Counter*> counters;
  std::vector<telemetry::Distribution*> distributions;
  for (int i = 0; i < 2500; ++i) {
    counters.push_back(&registry.counter(kCount, {{"Id", std::to_string(i)}}));
    distributions.push_back(&registry.distribution(kLatency, {{"Id", std::to_string(i)}}));
  }
  Collector collector(registry, *store);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  const auto busy = static_cast<std::size_t>(25 * state.range(0));
  int second = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (std::size_t i = 0; i < busy; ++i) {
      counters[i]->add(20);
      for (int n = 0; n < 20; ++n) distributions[i]->record(tail(random));
    }
    clock.advance(1s);
    state.ResumeTiming();
    collector.collect(clock.now());
    benchmark::DoNotOptimize(store->tick());
    if (++second % 120 == 0) benchmark::DoNotOptimize(store->flush());
  }
}
BENCHMARK(collect)->Arg(0)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// What an active series takes: one that got a value a second for two minutes, with the flushes that go with it.
void memory_of_active_series(benchmark::State& state) {
  for (auto _ : state) {
    TestDirectory directory;
    base::ManualClock clock;
    const auto before = resident_bytes();
    const auto store = open_store(directory, clock);
    std::int64_t most = 0;
    std::vector<Datum> data;
    for (int i = 0; i < state.range(0); ++i) data.push_back({numbered(i), 3, Resolution::kSecond, clock.now(), {}});
    const auto of_data = resident_bytes() - before;
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> tail(3, 1);
    for (int second = 0; second < 120; ++second) {
      for (auto& datum : data) {
        datum.samples.clear();
        datum.samples.add(std::nearbyint(tail(random) * 1000) / 1000);
        datum.time = clock.now();
      }
      benchmark::DoNotOptimize(store->put(data));
      clock.advance(1s);
      benchmark::DoNotOptimize(store->tick());
      benchmark::DoNotOptimize(store->maintain());
      most = std::max(most, resident_bytes());
    }
    state.counters["bytes/series"] = static_cast<double>(most - before - of_data) / static_cast<double>(state.range(0));
  }
}
BENCHMARK(memory_of_active_series)->Arg(100'000)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace securebase::monitoring
