#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <random>
#include <thread>

#include "telemetry/metrics.h"
#include "telemetry/sampler.h"
#include "telemetry/sketch.h"
#include "telemetry/span.h"

namespace securebase::telemetry {
namespace {

std::vector<double> long_tailed_samples(std::size_t count) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> tail(1.0, 2.0);
  std::vector<double> samples;
  for (std::size_t i = 0; i < count; ++i) samples.push_back(tail(random));
  return samples;
}

TEST(Sketch, GivesEveryPercentileWithinOnePercent) {
  auto samples = long_tailed_samples(100'000);
  Sketch sketch;
  for (const double sample : samples) sketch.add(sample);
  std::sort(samples.begin(), samples.end());
  for (const double percent : {0.0, 1.0, 10.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(samples.size())));
    const double truth = samples[rank == 0 ? 0 : rank - 1];
    EXPECT_NEAR(*sketch.percentile(percent), truth, truth * 0.01) << "p" << percent;
  }
  EXPECT_EQ(*sketch.minimum(), samples.front());
  EXPECT_EQ(*sketch.maximum(), samples.back());
}

TEST(Sketch, MergedPartsAreTheWhole) {
  const auto samples = long_tailed_samples(10'000);
  Sketch whole;
  Sketch parts[7];
  for (std::size_t i = 0; i < samples.size(); ++i) {
    whole.add(samples[i]);
    parts[i % 7].add(samples[i]);
  }
  Sketch merged;
  for (const auto& part : parts) merged.merge(part);
  EXPECT_EQ(merged.buckets(), whole.buckets());
  EXPECT_EQ(merged.percentile(99), whole.percentile(99));
  EXPECT_NEAR(merged.sum(), whole.sum(), 1e-6 * whole.sum());
}

TEST(Sketch, EmptyHasNoPercentileAndZeroIsAValue) {
  Sketch sketch;
  EXPECT_EQ(sketch.percentile(50), std::nullopt);
  sketch.add(0, 3);
  EXPECT_EQ(sketch.percentile(50), 0.0);
  EXPECT_EQ(sketch.percentile_rank(1), 100.0);
  sketch.add(10);
  EXPECT_EQ(sketch.percentile_rank(5), 75.0);
}

TEST(Buckets, EveryValueLiesInItsBucket) {
  for (const double value : {1e-9, 0.001, 0.5, 1.0, 1.999, 2.0, 3.7, 100.0, 12345.678, 1e12, 1e18}) {
    const int index = Buckets::index(value);
    EXPECT_LE(Buckets::lower_bound(index), value);
    EXPECT_GT(Buckets::lower_bound(index + 1), value);
    EXPECT_LE(std::abs(Buckets::middle(index) - value) / value, 1.0 / 128) << value;
  }
  EXPECT_EQ(Buckets::index(0), -1);
  EXPECT_EQ(Buckets::index(-3), -1);
  EXPECT_EQ(Buckets::index(std::nan("")), -1);
}

constexpr Metric kRequests{"Test", "Requests", Unit::kCount, "Requests answered."};
constexpr Metric kLatency{"Test", "Latency", Unit::kMilliseconds, "Time to answer."};

TEST(Registry, AddsUpWhatAllThreadsRecorded) {
  Registry registry;
  Counter& requests = registry.counter(kRequests, {{"Name", "a"}});
  Distribution& latency = registry.distribution(kLatency);
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t) {  // more than there are cells
    threads.emplace_back([&] {
      for (int i = 1; i <= 1000; ++i) {
        requests.add();
        latency.record(i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(requests.total(), 24'000u);
  const Sketch total = latency.total();
  EXPECT_EQ(total.count(), 24'000u);
  EXPECT_EQ(total.minimum(), 1.0);
  EXPECT_EQ(total.maximum(), 1000.0);
  EXPECT_EQ(total.sum(), 24 * 500'500.0);
  EXPECT_NEAR(*total.percentile(50), 500, 5);
  EXPECT_EQ(&registry.counter(kRequests, {{"Name", "a"}}), &requests);
}

TEST(Registry, BeyondItsLimitRecordsIntoOneSeriesForAllOthers) {
  Registry registry(2);
  registry.counter(kRequests, {{"Name", "a"}}).add();
  registry.counter(kRequests, {{"Name", "b"}}).add();
  Counter& c = registry.counter(kRequests, {{"Name", "c"}});
  Counter& d = registry.counter(kRequests, {{"Name", "d"}});
  EXPECT_EQ(&c, &d);
  EXPECT_EQ(registry.series().size(), 3u);
}

TEST(Spans, ATakenSpanHasItsCauseAndAFullBufferCountsWhatItLost) {
  base::ManualClock clock;
  Spans spans(4);
  const TraceContext trace = new_trace(clock.now());
  std::uint64_t parent = 0;
  {
    SpanGuard outer(&spans, clock, trace, Hop::kEdge, "d1.cloudfront.net", "/v1/health");
    parent = outer.trace().parent_span;
    clock.advance(std::chrono::milliseconds{2});
    SpanGuard inner(&spans, clock, outer.trace(), Hop::kGateway, "api/prod");
    inner.status(200);
    clock.advance(std::chrono::milliseconds{3});
  }
  std::vector<Span> taken;
  spans.take(taken);
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].hop, Hop::kGateway);
  EXPECT_EQ(taken[0].parent, parent);
  EXPECT_FALSE(taken[0].entry);
  EXPECT_EQ(taken[1].id, parent);
  EXPECT_TRUE(taken[1].entry);
  EXPECT_EQ(taken[1].subject.view(), "/v1/health");
  EXPECT_EQ(taken[1].end - taken[1].begin, std::chrono::milliseconds{5});
  for (int i = 0; i < 10; ++i) spans.record(taken[0]);
  taken.clear();
  spans.take(taken);
  EXPECT_EQ(taken.size(), 4u);
  EXPECT_EQ(spans.lost(), 6u);
}

TEST(Spans, TheSamplerIsAskedOnceAndNotWhereTheCallerHasDecided) {
  struct Never final : HeadSampler {
    int asked = 0;
    bool sample(const Arrival&) override { return ++asked, false; }
  } never;
  Spans spans;
  TraceContext trace = new_trace(base::system_clock().now());
  spans.decide(trace, {});
  EXPECT_TRUE(trace.sampled) << "without a sampler everything is";
  trace = new_trace(base::system_clock().now());
  spans.set_sampler(&never);
  spans.decide(trace, {});
  spans.decide(trace, {});
  EXPECT_FALSE(trace.sampled);
  EXPECT_EQ(never.asked, 1);
}

TEST(Trace, TravelsInTheXRayHeader) {
  const std::string text = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
  const auto trace = from_xray_header(text);
  EXPECT_TRUE(trace.decided);
  EXPECT_EQ(to_xray_header(trace), text);
  EXPECT_FALSE(from_xray_header("Root=1-5759e988-bd862e3fe1be46a994272793").decided);
  EXPECT_FALSE(from_xray_header("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=?").decided);
  for (const char* bad :
       {"", "Root=", "Root=1-5759e988-bd862e3fe1be46a99427279", "Root=1-5759e988-bd862e3fe1be46a99427279g",
        "Parent=53995c3f42cd8ad8", "Root=1-5759e988--d862e3fe1be46a994272793"}) {
    EXPECT_EQ(from_xray_header(bad), TraceContext{}) << bad;
  }
}

TEST(Trace, TravelsInTheTraceparent) {
  const std::string text = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
  const auto trace = from_traceparent(text);
  EXPECT_EQ(to_traceparent(trace), text);
  EXPECT_EQ(to_xray_id(trace), "1-5759e988-bd862e3fe1be46a994272793");
  EXPECT_TRUE(from_traceparent("cc-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01-what").known())
      << "a later version is read as far as it is known";
  for (const char* bad : {"", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01-what",
                          "ff-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01",
                          "00-00000000000000000000000000000000-53995c3f42cd8ad8-01",
                          "00-5759e988bd862e3fe1be46a994272793-0000000000000000-01",
                          "00-5759E988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"}) {
    EXPECT_EQ(from_traceparent(bad), TraceContext{}) << bad;
  }
}

TEST(Distribution, GivesWhatIsNewWithItsOwnExtremes) {
  constexpr Metric kMetric{"Test", "Latency", Unit::kMilliseconds, ""};
  Registry registry;
  Distribution& latency = registry.distribution(kMetric);
  Sketch seen;
  EXPECT_EQ(latency.take(seen).count(), 0u);
  for (const double value : {5.5, 0.0, 700.25}) latency.record(value);
  const Sketch first = latency.take(seen);
  EXPECT_EQ(first.count(), 3u);
  EXPECT_EQ(first.minimum(), 0.0);
  EXPECT_EQ(first.maximum(), 700.25);
  EXPECT_EQ(first.sum(), 705.75);
  EXPECT_EQ(latency.take(seen).count(), 0u);
  for (const double value : {5.625, 6.125}) latency.record(value);
  const Sketch second = latency.take(seen);
  EXPECT_EQ(second.count(), 2u);
  EXPECT_EQ(second.minimum(), 5.625);
  EXPECT_EQ(second.maximum(), 6.125);
  EXPECT_EQ(second.sum(), 11.75);
  EXPECT_EQ(latency.total().count(), 5u);
  EXPECT_EQ(latency.total().minimum(), 0.0);
  EXPECT_EQ(latency.total().maximum(), 700.25);
}

TEST(Distribution, CountsEverySampleOnceWhileItIsTaken) {
  constexpr Metric kMetric{"Test", "Latency", Unit::kMilliseconds, ""};
  Registry registry;
  Distribution& latency = registry.distribution(kMetric);
  constexpr int kEach = 200'000;
  std::vector<std::thread> threads;
  std::atomic<int> running{2};
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) latency.record(1 + i % 100);
      --running;
    });
  }
  Sketch seen;
  Sketch sum;
  while (running > 0) sum.merge(latency.take(seen));
  for (auto& thread : threads) thread.join();
  latency.record(50);  // so that the next take looks
  sum.merge(latency.take(seen));
  EXPECT_EQ(sum.count(), 2u * kEach + 1);
  EXPECT_EQ(sum.buckets(), latency.total().buckets());
  EXPECT_NEAR(sum.sum(), latency.total().sum(), 1e-3);
}

TEST(Registry, TellsWhatWasMadeSince) {
  constexpr Metric kMetric{"Test", "Count", Unit::kCount, ""};
  Registry registry;
  registry.counter(kMetric, {{"Id", "b"}});
  EXPECT_EQ(registry.series_after(0).size(), 1u);
  registry.counter(kMetric, {{"Id", "a"}});
  registry.counter(kMetric, {{"Id", "b"}});
  const auto later = registry.series_after(1);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0]->dimensions, (Dimensions{{"Id", "a"}}));
  EXPECT_TRUE(registry.series_after(2).empty());
}

TEST(Distribution, TakesManySamplesOfOneValueAtOnce) {
  Registry registry;
  static constexpr Metric kMetric{"Test", "Weighted", Unit::kPercent, ""};
  auto& distribution = registry.distribution(kMetric);
  distribution.record(100, 900);
  distribution.record(0, 100);
  distribution.record(7, 0);
  const auto total = distribution.total();
  EXPECT_EQ(total.count(), 1000U);
  EXPECT_DOUBLE_EQ(*total.average(), 90);
  EXPECT_DOUBLE_EQ(*total.minimum(), 0);
}

TEST(Sampler, LooksAgainAndAgainUntilItEnds) {
  std::promise<void> third;
  int looks = 0;
  {
    Sampler sampler(std::chrono::milliseconds(1), [&] {
      if (++looks == 3) third.set_value();
    });
    third.get_future().wait();
  }
  EXPECT_GE(looks, 3);
}

TEST(Sampler, EndsWithoutWaitingForItsInterval) {
  const auto begin = std::chrono::steady_clock::now();
  {
    Sampler sampler(std::chrono::hours(1), [] { ADD_FAILURE() << "too early"; });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace securebase::telemetry
