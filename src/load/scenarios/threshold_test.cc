#include <gtest/gtest.h>

#include "load/scenarios/measured_fixture.h"
#include "load/scenarios/threshold.h"

namespace securebase::load {
namespace {

TEST(ParseThreshold, ReadsWhatPeopleWrite) {
  EXPECT_EQ(parse_threshold("p95<100ms")->text(), "p95<100ms");
  EXPECT_EQ(parse_threshold(" p99.9 <= 1.5s ")->text(), "p99.9<=1500ms");
  EXPECT_EQ(parse_threshold("ttfb.p50<250us")->text(), "ttfb.p50<0.25ms");
  EXPECT_EQ(parse_threshold("errors<1%")->text(), "errors<1%");
  EXPECT_EQ(parse_threshold("rate>=500/s")->text(), "rate>=500");
  for (const char* wrong :
       {"p95", "p101<1ms", "p95<fast", "p95<1h", "speed<3", "errors<1ms", "rate>5%", "p95<-1ms", "p<1", "<5"}) {
    EXPECT_FALSE(parse_threshold(wrong)) << wrong;
  }
}

TEST(Judge, GivesAVerdictOnlyWithEnoughSamples) {
  const auto p95 = *parse_threshold("p95<100ms");
  EXPECT_EQ(judge(p95, measured(1000, 50), false).verdict, Verdict::kPass);
  EXPECT_EQ(judge(p95, measured(1000, 150), false).verdict, Verdict::kFail);
  EXPECT_EQ(judge(p95, measured(150, 50), false).verdict, Verdict::kInsufficient);
  EXPECT_EQ(judge(*parse_threshold("p99<100ms"), measured(999, 50), false).needed, 1000u);
}

// So many requests were unanswered at the end of `all`.
Measured with_unanswered(Measured all, std::uint64_t count, double waited_ms, double stand_for) {
  base::ManualClock clock;
  Collector collector(clock);
  auto& recorder = collector.make_recorder();
  collector.start();
  {
    Recorder::Batch batch(recorder);
    batch.add(collector.series(Kind::kTrend, kUnanswered), waited_ms, count);
    batch.add(collector.series(Kind::kCounter, kUnsent), stand_for);
  }
  collector.finish();
  all.merge(collector.measured());
  return all;
}

TEST(Judge, PassesOnlyWhatWasUnansweredAtTheEndCouldNotChange) {
  const auto verdict = [](const char* threshold, const Measured& measured) {
    return judge(*parse_threshold(threshold), measured, false).verdict;
  };
  // A few of many: p95 stands whatever became of them, the worst does not.
  const auto few = with_unanswered(measured(10'000, 50), 5, 1500, 5);
  EXPECT_EQ(verdict("p95<100ms", few), Verdict::kPass);
  EXPECT_EQ(verdict("errors<1%", few), Verdict::kPass);
  EXPECT_EQ(verdict("avg<100ms", few), Verdict::kPass);
  EXPECT_EQ(verdict("max<100ms", few), Verdict::kInsufficient);
  EXPECT_EQ(verdict("p95<40ms", few), Verdict::kFail);
  // Few users, who would have sent a third of all meanwhile.
  const auto hung = with_unanswered(measured(10'000, 50), 5, 9000, 5'000);
  EXPECT_EQ(verdict("p95<100ms", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("p50<100ms", hung), Verdict::kPass);
  EXPECT_EQ(verdict("errors<1%", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("avg<100ms", hung), Verdict::kInsufficient);
  EXPECT_EQ(verdict("rate>500", hung), Verdict::kPass);
}

TEST(Judge, CountsErrorsOfEachKind) {
  EXPECT_DOUBLE_EQ(judge(*parse_threshold("errors<1%"), measured(1000, 50, 20), false).measured, 2);
  EXPECT_EQ(judge(*parse_threshold("5xx<1%"), measured(1000, 50, 20), false).verdict, Verdict::kFail);
  EXPECT_EQ(judge(*parse_threshold("4xx<1%"), measured(1000, 50, 20), false).verdict, Verdict::kPass);
  EXPECT_EQ(judge(*parse_threshold("rate>99"), measured(1000, 50), false).verdict, Verdict::kPass);
}

}  // namespace
}  // namespace securebase::load
