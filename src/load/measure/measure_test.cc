#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "load/measure/collector.h"
#include "load/measure/measured_json.h"

namespace securebase::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Catalogue, GivesOneSeriesForOneNameAndOneSetOfTags) {
  Catalogue catalogue;
  const auto a = catalogue.series(Kind::kTrend, "t", {{"b", "2"}, {"a", "1"}});
  const auto b = catalogue.series(Kind::kTrend, "t", {{"a", "1"}, {"b", "2"}});
  const auto c = catalogue.series(Kind::kTrend, "t", {{"a", "1"}});
  EXPECT_EQ(a.index, b.index);
  EXPECT_NE(a.index, c.index);
}

TEST(Catalogue, PutsWhatIsBeyondItsLimitIntoOneSeriesOfTheMetric) {
  Catalogue catalogue(2);
  catalogue.series(Kind::kCounter, "c", {{"id", "1"}});
  catalogue.series(Kind::kCounter, "c", {{"id", "2"}});
  const auto third = catalogue.series(Kind::kCounter, "c", {{"id", "3"}});
  EXPECT_EQ(catalogue.series(Kind::kCounter, "c", {{"id", "4"}}).index, third.index);
  EXPECT_EQ(catalogue.entries()[third.index].key.tags, (Tags{{"__other__", ""}}));
}

TEST(Histogram, IsTheSketchOfTheSameSamples) {
  Histogram histogram;
  telemetry::Sketch sketch;
  for (double value : {0.0, 0.25, 1.0, 3.7, 3.7, 1999.5, 2e6}) {
    histogram.add(value);
    sketch.add(value);
  }
  const auto made = histogram.sketch();
  EXPECT_EQ(made.buckets(), sketch.buckets());
  EXPECT_EQ(made.count(), 7u);
  EXPECT_DOUBLE_EQ(made.sum(), sketch.sum());
  EXPECT_EQ(made.minimum(), 0.0);
  EXPECT_EQ(made.maximum(), 2e6);
  histogram.clear();
  EXPECT_EQ(histogram.sketch().count(), 0u);
}

// Whatever lies on or beside a bucket's border, and however it was cut and merged.
TEST(Histogram, KeepsEveryPercentileWithinABucketsWidthAndMergesExactly) {
  std::vector<double> values;
  for (double border = 0.0625; border < 70'000; border *= 2) {
    for (const double factor : {1 - 1e-12, 1.0, 1 + 1e-12, 1 + 1 / 64.0, 1 + 63 / 64.0, 1.3})
      values.push_back(border * factor);
  }
  Histogram whole;
  Histogram half[2];
  for (std::size_t i = 0; i < values.size(); ++i) {
    whole.add(values[i]);
    half[i % 2].add(values[i]);
  }
  auto merged = half[1].sketch();
  merged.merge(half[0].sketch());
  EXPECT_EQ(merged.buckets(), whole.sketch().buckets());
  EXPECT_EQ(merged.count(), values.size());
  EXPECT_DOUBLE_EQ(merged.sum(), whole.sketch().sum());
  std::sort(values.begin(), values.end());
  for (double percent = 0.5; percent <= 100; percent += 0.5) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(values.size())));
    const double truth = values[std::max<std::size_t>(rank, 1) - 1];
    EXPECT_NEAR(*merged.percentile(percent) / truth, 1, 0.0079) << percent;
  }
  EXPECT_EQ(merged.maximum(), values.back());
}

TEST(Collector, CountsWhatIsRecordedFromAStartThatNobodyWaitsFor) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  const Series answers = collector.series(Kind::kCounter, "answers");
  recorder.add(answers, 1);  // before: dropped
  collector.start(clock.steady() + std::chrono::seconds{5});
  collector.collect();
  EXPECT_EQ(collector.measured().duration, std::chrono::milliseconds{0});
  clock.advance(std::chrono::seconds{6});
  recorder.add(answers, 2);  // nobody looked at the fifth second
  clock.advance(std::chrono::seconds{1});
  collector.finish();
  EXPECT_EQ(collector.measured().total("answers"), 2);
  EXPECT_EQ(collector.measured().duration, std::chrono::seconds{2});
}

TEST(Collector, AddsUpWhatManyThreadsRecordedAndLosesNothing) {
  base::ManualClock clock;
  Collector collector(clock);
  const auto counter = collector.series(Kind::kCounter, "c");
  const auto trend = collector.series(Kind::kTrend, "t");
  collector.start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      auto& recorder = collector.make_recorder();
      for (int j = 1; j <= 10'000; ++j) {
        Recorder::Batch batch(recorder);
        batch.add(counter, 1);
        batch.add(trend, i * 10'000 + j);
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    clock.advance(milliseconds{100});
    collector.collect();
  }
  for (auto& thread : threads) thread.join();
  collector.finish();
  const auto measured = collector.measured();
  EXPECT_EQ(measured.total("c"), 40'000);
  const auto found = measured.find("t");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sketch.count(), 40'000u);
  EXPECT_NEAR(*found->sketch.percentile(50), 20'000, 200);
  EXPECT_EQ(found->sketch.maximum(), 40'000);
  double in_slices = 0;
  for (const auto& slice : measured.timeline.slices())
    in_slices += find(slice.values, "c") ? find(slice.values, "c")->sum : 0;
  EXPECT_EQ(in_slices, 40'000);
}

TEST(Collector, DropsWhatWasRecordedBeforeItsStart) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  const auto counter = collector.series(Kind::kCounter, "c");
  recorder.add(counter, 5);
  collector.collect();
  recorder.add(counter, 5);
  collector.start();
  recorder.add(counter, 1);
  clock.advance(seconds{1});
  collector.finish();
  EXPECT_EQ(collector.measured().total("c"), 1);
}

TEST(Collector, TellsPeriodsAsTheyEndAndTheRestAtTheEnd) {
  base::ManualClock clock;
  Collector collector(clock, seconds{10});
  auto& recorder = collector.make_recorder();
  const auto counter = collector.series(Kind::kCounter, "c");
  std::vector<std::pair<std::int64_t, double>> told;
  collector.on_period(
      [&](const Slice& slice) { told.emplace_back(slice.begin.count(), find(slice.values, "c")->sum); });
  collector.start();
  for (int i = 0; i < 23; ++i) {
    recorder.add(counter, 1);
    clock.advance(milliseconds{1001});
    collector.collect();
  }
  collector.finish();
  EXPECT_EQ(told, (std::vector<std::pair<std::int64_t, double>>{{0, 10}, {10'000, 10}, {20'000, 3}}));
}

TEST(Timeline, HoldsADayInAsManySlicesAsTenMinutes) {
  Timeline timeline;
  Value one;
  one.count = 1;
  one.sum = 1;
  for (int i = 0; i < 86'400; ++i) {
    Slice slice{seconds{i}, seconds{i + 1}, {}};
    slice.values[Key{"c", {}}] = one;
    timeline.add(std::move(slice));
  }
  EXPECT_LE(timeline.slices().size(), Timeline::kMostSlices);
  EXPECT_GT(timeline.slices().size(), Timeline::kMostSlices / 3);
  double sum = 0;
  for (const auto& slice : timeline.slices()) sum += find(slice.values, "c")->sum;
  EXPECT_EQ(sum, 86'400);
}

Measured sample() {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  collector.start();
  for (int second = 0; second < 5; ++second) {
    for (int i = 1; i <= 100; ++i)
      recorder.add(collector.series(Kind::kTrend, "t", {{"name", "a b"}}), i * 0.1 * second);
    recorder.add(collector.series(Kind::kRate, "r"), second % 2);
    recorder.add(collector.series(Kind::kGauge, "g"), second - 2);
    recorder.add(collector.series(Kind::kCounter, "c"), 2.5);
    clock.advance(seconds{1});
    collector.collect();
  }
  return collector.measured();
}

TEST(MeasuredJson, BringsEverythingBack) {
  const auto measured = sample();
  const auto text = to_json(measured).dump();
  auto parsed = base::Json::parse(text);
  ASSERT_TRUE(parsed);
  auto back = measured_from_json(*parsed);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_EQ(back->find("t", {{"name", "a b"}})->sketch.percentile(99), measured.find("t")->sketch.percentile(99));
  EXPECT_EQ(back->find("g")->minimum, -2);
}

TEST(MeasuredJson, MergesTwoMachinesExactly) {
  auto twice = sample();
  twice.merge(sample());
  EXPECT_EQ(twice.total("c"), 25);
  EXPECT_EQ(twice.find("t")->sketch.count(), 1000u);
  EXPECT_EQ(twice.find("t")->sketch.percentile(95), sample().find("t")->sketch.percentile(95));
  EXPECT_EQ(twice.timeline.slices().size(), 5u);
}

TEST(MeasuredJson, RefusesWhatDoesNotAddUp) {
  for (
      const char* text : {
          R"({})",
          R"({"series":[{"metric":"t","kind":"trend"}],"values":[{"series":0,"count":3,"sketch":{"buckets":[5,2]}}],"timeline":{"width_ms":1000,"slices":[]}})",
          R"({"series":[],"values":[{"series":0,"count":3}],"timeline":{"width_ms":1000,"slices":[]}})",
          R"({"series":[{"metric":"t","kind":"trend"}],"values":[{"series":0,"count":1,"sketch":{"buckets":[99999999,1]}}],"timeline":{"width_ms":1000,"slices":[]}})",
          R"({"series":[],"values":[],"timeline":{"width_ms":0,"slices":[]}})",
          R"({"duration_ms":-1,"series":[],"values":[],"timeline":{"width_ms":1000,"slices":[]}})",
          R"({"series":[{"metric":"c","kind":"counter"}],"values":[{"series":0,"count":1,"sum":-5}],"timeline":{"width_ms":1000,"slices":[]}})",
          R"({"series":[{"metric":"c","kind":"counter"}],"values":[{"series":0,"count":1,"sum":1e300}],"timeline":{"width_ms":1000,"slices":[]}})",
      }) {
    auto json = base::Json::parse(text);
    ASSERT_TRUE(json) << text;
    EXPECT_FALSE(measured_from_json(*json)) << text;
  }
}

}  // namespace
}  // namespace securebase::load
