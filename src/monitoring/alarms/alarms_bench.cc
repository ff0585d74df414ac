// What a round of evaluation costs with 10,000 alarms, over numbers in memory (FakeSeries), not over the metrics'
// store: the engine's own part. A round comes each second, so 50 ms are 5 % of a core.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/random.h"
#include "monitoring/alarms.h"
#include "monitoring/fake_series.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;

class NoSink final : public ActionSink {
 public:
  Result<Done> perform(const std::string&, const AlarmNotification&) override { return Done{}; }
};

struct House {
  explicit House(int count)
      : directory(std::filesystem::temp_directory_path() / ("alarms-bench-" + base::random_hex(8))) {
    alarms = *Alarms::open({.directory = directory}, series, sink, clock);
    AlarmsConfig config;
    for (int i = 0; i < count; ++i) {
      metrics.push_back({"AWS/Lambda", "Errors", {{"FunctionName", fmt::format("function-{}", i)}}});
      AlarmDefinition made;
      made.name = fmt::format("alarm-{:05}", i);
      MetricRule rule;
      rule.metric = MetricStat{metrics.back(), 60s, "Sum", std::nullopt};
      rule.evaluation_periods = 3;
      rule.datapoints_to_alarm = 2;
      rule.threshold = 100;
      made.rule = rule;
      config.alarms.push_back(std::move(made));
    }
    static_cast<void>(alarms->apply(config).has_value());
    for (int minute = 0; minute < 6; ++minute) {
      for (const auto& metric : metrics) series.put(metric, clock.now(), 1);
      clock.advance(60s);
    }
    alarms->evaluate();
  }
  ~House() {
    alarms.reset();
    std::filesystem::remove_all(directory);
  }
  const std::filesystem::path directory;
  base::ManualClock clock{base::TimePoint{1'700'000'040s}};
  FakeSeries series;
  NoSink sink;
  std::vector<MetricId> metrics;
  std::unique_ptr<Alarms> alarms;
};

// Nothing came and nothing ended: the round that most seconds are.
void BM_QuietSecond(benchmark::State& state) {
  House house(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(house.alarms->evaluate());
}
BENCHMARK(BM_QuietSecond)->Arg(10'000)->Unit(benchmark::kMillisecond);

// Every metric got a sample since the last round: all alarms are evaluated.
void BM_EverySampleChanges(benchmark::State& state) {
  House house(static_cast<int>(state.range(0)));
  std::size_t evaluated = 0;
  for (auto _ : state) {
    state.PauseTiming();
    for (const auto& metric : house.metrics) house.series.put(metric, house.clock.now() - 90s, 1);
    state.ResumeTiming();
    evaluated += house.alarms->evaluate();
  }
  state.counters["evaluated_a_round"] = static_cast<double>(evaluated) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_EverySampleChanges)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(50);

// A minute ended: all alarms are evaluated, and none changes its state.
void BM_MinuteEnds(benchmark::State& state) {
  House house(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    for (const auto& metric : house.metrics) house.series.put(metric, house.clock.now(), 1);
    house.clock.advance(60s);
    state.ResumeTiming();
    benchmark::DoNotOptimize(house.alarms->evaluate());
  }
}
BENCHMARK(BM_MinuteEnds)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(50);

}  // namespace
}  // namespace securebase::monitoring
