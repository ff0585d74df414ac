#include "traces/collect/assembler.h"
#include "traces/collect/collector.h"
#include "traces/collect/request_times.h"
#include "traces/collect/tail.h"
#include "traces/test_support.h"

#include <fmt/format.h>

namespace securebase::traces {
namespace {

using telemetry::Span;
using H = telemetry::Hop;

nanoseconds own(const RequestTimes& times, Part part) { return times.own[static_cast<std::size_t>(part)]; }

struct Completed {
  std::vector<std::size_t> sizes;
  std::size_t late = 0;
  Assembler assembler{{}, [this](std::span<const Span> spans, const Span* entry) {
                        sizes.push_back(spans.size());
                        late += entry == nullptr;
                      }};
};

TEST(Assembler, ATraceIsWholeOneRoundAfterItsEntryHowFarApartItsBuffersLie) {
  const auto spans = cold_request();
  for (std::size_t cut = 0; cut < spans.size(); ++cut) {
    Completed completed;
    // The entry's buffer was taken first, the rest lies in the next round.
    completed.assembler.round(std::span(spans).subspan(cut), base::SteadyPoint{1s});
    EXPECT_THAT(completed.sizes, testing::IsEmpty());
    completed.assembler.round(std::span(spans).first(cut), base::SteadyPoint{1s});
    EXPECT_THAT(completed.sizes, testing::ElementsAre(6));
    EXPECT_EQ(completed.assembler.open(), 0u);
  }
}

TEST(Assembler, AHitWaitsForNothing) {
  Completed completed;
  auto hit = hop(H::kEdge, 1, 0, 0ms, 1ms);
  hit.alone = true;
  completed.assembler.round({&hit, 1}, base::SteadyPoint{1s});
  EXPECT_THAT(completed.sizes, testing::ElementsAre(1));
}

TEST(Assembler, TwoRequestsOfOneTraceAreTwo) {
  Completed completed;
  auto spans = cold_request();
  auto other = hop(H::kEdge, 30, 0, 1ms, 20ms);
  other.parent = 99;  // a browser's
  other.entry = true;
  const auto inside = hop(H::kOriginBucket, 31, 30, 2ms, 3ms);
  spans.push_back(inside);
  completed.assembler.round(spans, base::SteadyPoint{1s});
  completed.assembler.round({&other, 1}, base::SteadyPoint{1s});
  completed.assembler.round({}, base::SteadyPoint{1s});
  EXPECT_EQ(completed.sizes.size(), 2u);
}

TEST(Assembler, WhatComesAfterTheAnswerIsLateAndIsNotKeptForEver) {
  Completed completed;
  const auto refresh = hop(H::kOriginApi, 11, 10, 0ms, 1ms);
  completed.assembler.round({&refresh, 1}, base::SteadyPoint{1s});
  completed.assembler.round({}, base::SteadyPoint{30s});
  EXPECT_EQ(completed.late, 0u);
  completed.assembler.round({}, base::SteadyPoint{62s});
  EXPECT_EQ(completed.late, 1u);
  EXPECT_EQ(completed.assembler.open(), 0u);
}

TEST(RequestTimes, PartsAddUpToTheWhole) {
  const auto spans = cold_request();
  const auto times = times_of(spans, spans.back());
  EXPECT_EQ(times.total, 10ms);
  EXPECT_EQ(own(times, Part::kFunction), 5ms);
  EXPECT_EQ(own(times, Part::kInit), 3ms) << "what the call waited for of the 5 ms that it took";
  EXPECT_EQ(own(times, Part::kQueue), 0ms);
  EXPECT_EQ(own(times, Part::kGateway), 1ms);
  EXPECT_EQ(own(times, Part::kEdge), 1ms) << "with what lies between edge and gateway";
  nanoseconds sum{0};
  for (const auto part : times.own) sum += part;
  EXPECT_EQ(sum, times.total);
  EXPECT_TRUE(times.cold);
  std::string route;
  append_route(route, spans, spans.back());
  EXPECT_EQ(route, "GET /v1/customers/{id}");
}

TEST(RequestTimes, WhatAnAuthorizerTakesIsItsOwn) {
  std::vector<Span> spans{hop(H::kEdge, 1, 0, 0ms, 10ms), hop(H::kAuthorizer, 2, 1, 1ms, 7ms),
                          hop(H::kInvoke, 3, 2, 2ms, 7ms), hop(H::kFunction, 4, 3, 3ms, 6ms)};
  for (std::size_t i = 1; i < spans.size(); ++i) spans[i].entry = false;
  const auto times = times_of(spans, spans[0]);
  EXPECT_EQ(own(times, Part::kAuthorizer), 6ms);
  EXPECT_EQ(own(times, Part::kFunction), 0ms);
  EXPECT_EQ(own(times, Part::kEdge), 4ms);
}

TEST(RequestTimes, ManySpansAreCountedAsFewAre) {
  std::vector<Span> spans{hop(H::kEdge, 1, 0, 0ms, 100ms)};
  for (std::uint64_t i = 0; i < 90; ++i) {
    spans.push_back(hop(H::kOriginHttp, 100 + i, 1, nanoseconds{1ms} * i, nanoseconds{1ms} * (i + 1)));
  }
  const auto times = times_of(spans, spans[0]);
  EXPECT_EQ(own(times, Part::kOrigin), 90ms);
  EXPECT_EQ(own(times, Part::kEdge), 10ms);
}

TEST(CountEdges, AServiceIsCalledByTheNearestServiceAboveIt) {
  Counts counts;
  count_edges(cold_request(), counts);
  const Node edge{"d1.cloudfront.net", "AWS::CloudFront::Distribution"};
  const Node gateway{"securebase-api/prod", "AWS::ApiGateway::Stage"};
  const Node lambda{"customers", "AWS::Lambda"};
  const Node function{"customers", "AWS::Lambda::Function"};
  EXPECT_EQ(counts.edges.size(), 4u);
  EXPECT_EQ((counts.edges[{Node{"d1.cloudfront.net", "client"}, edge}].ok), 1u);
  EXPECT_EQ((counts.edges[{edge, gateway}].ok), 1u);
  EXPECT_EQ((counts.edges[{gateway, lambda}].ok), 1u);
  EXPECT_EQ((counts.edges[{lambda, function}].time), 5ms);
}

TEST(Tail, KeepsOnePerRouteAndSecondAndEverythingThatIsWorthIt) {
  Tail tail({});
  RequestTimes usual;
  usual.total = 10ms;
  base::SteadyPoint now{1000s};
  EXPECT_EQ(tail.decide("a", usual, false, false, now), kFirst);
  EXPECT_EQ(tail.decide("a", usual, false, false, now), 0);
  EXPECT_EQ(tail.decide("b", usual, false, false, now), kFirst);
  EXPECT_EQ(tail.decide("a", usual, true, false, now), kFailed);
  RequestTimes cold = usual;
  cold.cold = true;
  EXPECT_EQ(tail.decide("a", cold, false, false, now), kCold);
  EXPECT_EQ(tail.decide("a", usual, false, true, now), kSampled);
  EXPECT_EQ(tail.decide("a", usual, false, false, now + 1s), kFirst);
}

TEST(Tail, AnOutlierIsSlowerThanItsRouteWasInTheLastMinutes) {
  Tail tail({});
  RequestTimes usual;
  usual.total = 10ms;
  RequestTimes slow;
  slow.total = 30ms;
  base::SteadyPoint now{1000s};
  EXPECT_FALSE(tail.decide("a", slow, false, false, now) & kSlow) << "of nothing nothing stands out";
  for (int i = 0; i < 300; ++i) tail.decide("a", usual, false, false, now);
  now += 1s;
  EXPECT_TRUE(tail.decide("a", slow, false, false, now) & kSlow);
  usual.total = 15ms;
  EXPECT_FALSE(tail.decide("a", usual, false, false, now) & kSlow) << "not twice the median";
  EXPECT_FALSE(tail.decide("b", slow, false, false, now) & kSlow);
  now += 200s;
  EXPECT_FALSE(tail.decide("a", slow, false, false, now) & kSlow) << "what was minutes ago is no measure";
}

TEST(Tail, AFloodIsCutAndCounted) {
  Tail tail({.each = 10});
  RequestTimes failing;
  failing.total = 1ms;
  int kept = 0;
  for (int i = 0; i < 100; ++i) kept += tail.decide("a", failing, true, false, base::SteadyPoint{1000s}) != 0;
  EXPECT_EQ(kept, 10);
  EXPECT_EQ(tail.over_budget(), 90u);
}

struct Collecting {
  TestDirectory directory;
  base::ManualClock clock;
  telemetry::Spans spans;
  std::unique_ptr<Store> store = *Store::open({.directory = directory.path()}, clock);
  Collector collector{spans, *store, clock, nullptr};

  void record(std::vector<Span> all) {
    const auto shift = clock.steady() - base::SteadyPoint{std::chrono::hours{10}} - 20ms;
    for (auto& span : all) {
      span.begin += shift;
      span.end += shift;
      spans.record(span);
    }
  }
};

TEST(Collector, CountsEveryRequestAndKeepsThoseThatTheTailKeeps) {
  Collecting world;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    auto spans = cold_request(i);
    spans[1].cold = i == 7;
    world.record(std::move(spans));
  }
  world.collector.refresh();
  const auto counts = world.collector.counts(world.clock.now() - 1h, world.clock.now());
  const auto& route = counts.routes.at("GET /v1/customers/{id}");
  EXPECT_EQ(route.total.count(), 50u);
  EXPECT_EQ(route.cold_starts, 1u);
  EXPECT_NEAR(
      std::chrono::duration<double>(route.shares(92.5, 97.5)[static_cast<std::size_t>(Part::kFunction)]).count(), 0.005,
      1e-9);
  EXPECT_EQ(world.collector.statistics().kept, 2u) << "the first of the second, and the cold one";
  const auto cold = world.store->find({std::uint64_t{1'700'000'000} << 32, 7});
  ASSERT_EQ(cold.hops.size(), 1u);
  EXPECT_EQ(cold.hops[0].reasons, kCold);
  EXPECT_EQ(cold.hops[0].hops.front().kind, H::kEdge) << "the entry comes first";
}

TEST(Collector, WhatItCountedIsThereAfterItsEnd) {
  Collecting world;
  world.record(cold_request());
  world.collector.stop();
  int found = 0;
  world.store->scan_counts(world.clock.now() - 1h, world.clock.now() + 1h,
                           [&](std::string_view text, WallTime, WallTime) {
                             const auto counts = Counts::decode(text);
                             ASSERT_TRUE(counts);
                             found += static_cast<int>(counts->routes.size());
                           });
  EXPECT_EQ(found, 1);
}

// A client may send one trace id with all that it asks: the trace is never quiet, and may neither grow nor hide.
TEST(Collector, ATraceThatNeverEndsIsCountedByAndBy) {
  Collecting world;
  const TraceId id{std::uint64_t{1'700'000'000} << 32, 7};
  for (int second = 0; second < 40; ++second) {
    world.clock.advance(1s);
    auto spans = cold_request(id.low);
    for (auto& span : spans) span.sampled = true;
    world.record(std::move(spans));
    const double now = seconds_of(world.clock.now());
    const auto text = fmt::format(
        R"({{"name":"queue","id":"{:016x}","trace_id":"{}","parent_id":"000000000000000e","start_time":{},"end_time":{}}})",
        second + 100, id.text(), now - 0.1, now);
    auto parsed = parse_segment(text, world.clock.now());
    ASSERT_TRUE(parsed) << parsed.error().message;
    world.collector.submit({{parsed->trace, world.clock.now(), text}, parsed->segment});
    world.collector.refresh();
  }
  const auto counts = world.collector.counts(world.clock.now() - 1h, world.clock.now() + 1h);
  const auto called = counts.edges.find({Node{"customers", "AWS::Lambda::Function"}, Node{"queue", ""}});  // by hop 14
  ASSERT_NE(called, counts.edges.end());
  EXPECT_GE(called->second.total(), 25u);
}

TEST(Collector, ADocumentThatTheApiTookIsInTheStoreWhenItReturns) {
  Collecting world;
  const double now = seconds_of(world.clock.now());
  const std::string text = fmt::format(
      R"({{"name":"queue","id":"70de5b6f19ff9a0a","trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":{},"end_time":{}}})",
      now, now + 0.1);
  auto parsed = parse_segment(text, world.clock.now());
  ASSERT_TRUE(parsed) << parsed.error().message;
  std::vector<Document> documents;
  documents.push_back({{parsed->trace, world.clock.now(), text}, parsed->segment});
  ASSERT_TRUE(world.collector.keep(std::move(documents)));
  EXPECT_EQ(world.store->find(parsed->trace).documents.size(), 1u);
  world.collector.refresh();
  EXPECT_EQ(world.store->find(parsed->trace).documents.size(), 1u) << "not twice";
  world.collector.stop();
  const auto counts = world.collector.counts(world.clock.now() - 1h, world.clock.now() + 1h);
  EXPECT_TRUE(counts.edges.contains({Node{"queue", "client"}, Node{"queue", ""}}));
}

}  // namespace
}  // namespace securebase::traces
