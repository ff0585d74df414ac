#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "advisor/advisor.h"

namespace securebase::advisor {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr base::TimePoint kNow{seconds{1'795'737'600}};

// Answers with what it was given, by "namespace/name/statistic".
class FakeSeries final : public monitoring::Series {
 public:
  struct One {
    monitoring::MetricId metric;
    std::map<std::string, monitoring::Point> statistics;
  };
  void add(monitoring::MetricId metric, std::map<std::string, monitoring::Point> statistics) {
    all_.push_back({std::move(metric), std::move(statistics)});
  }

  Result<std::vector<monitoring::Point>> read(const monitoring::MetricQuery&) const override {
    return std::vector<monitoring::Point>{};
  }
  Result<std::optional<monitoring::Point>> whole(const monitoring::MetricQuery& query) const override {
    EXPECT_EQ(query.to, kNow);
    EXPECT_EQ(query.from, kNow - hours{1});
    for (const auto& one : all_) {
      if (one.metric != query.metric) continue;
      const auto found = one.statistics.find(query.statistic);
      if (found != one.statistics.end()) return std::optional(found->second);
    }
    return std::optional<monitoring::Point>{};
  }
  std::vector<monitoring::MetricId> list(const monitoring::MetricFilter& filter) const override {
    std::vector<monitoring::MetricId> found;
    for (const auto& one : all_) {
      if (one.metric.name_space == filter.name_space && one.metric.name == filter.name) found.push_back(one.metric);
    }
    return found;
  }
  std::optional<base::TimePoint> newest(const monitoring::MetricId&) const override { return std::nullopt; }

 private:
  std::vector<One> all_;
};

monitoring::MetricId latency(std::string api) { return {"AWS/ApiGateway", "Latency", {{"ApiName", std::move(api)}}}; }
monitoring::Point point(double value, std::uint64_t samples) { return {kNow - hours{1}, value, samples}; }

Row row_named(const std::vector<Row>& rows, std::string_view name) {
  for (const auto& row : rows) {
    if (row.name == name) return row;
  }
  ADD_FAILURE() << "no row " << name;
  return {};
}
Row api_p95(const FakeSeries& series) { return row_named(targets(series, kNow, hours{1}), "API p95 latency"); }

TEST(Targets, HaveTheElevenRowsOfTheGuideInItsOrder) {
  const auto rows = targets(FakeSeries{}, kNow, hours{1});
  ASSERT_EQ(rows.size(), 11u);
  EXPECT_EQ(rows.front().name, "API p50 latency");
  EXPECT_EQ(rows.back().name, "Uptime");
  EXPECT_EQ(exit_code(rows), 1);
}

TEST(Targets, SilenceIsNoData) {
  const auto rows = targets(FakeSeries{}, kNow, hours{1});
  for (const auto& row : rows) EXPECT_EQ(row.verdict, Verdict::kNoData) << row.name;
}

TEST(Targets, ReadPageLoadsOfTheApplicationAsAWhole) {
  FakeSeries series;
  series.add({"AWS/RUM", "PageLoadTime", {{"application_name", "portal"}}}, {{"p95", point(1800, 250)}});
  series.add({"AWS/RUM", "PageLoadTime", {{"application_name", "portal"}, {"PageId", "/slow"}}},
             {{"p95", point(9000, 250)}});
  const auto row = row_named(targets(series, kNow, hours{1}), "Page load time (p95)");
  EXPECT_EQ(row.verdict, Verdict::kPass);
  EXPECT_EQ(row.value, 1800);
}

TEST(Targets, TakeTheMedianOfFiveLighthouseRuns) {
  for (const auto& [runs, verdict] : {std::pair{4, Verdict::kTooFew}, std::pair{5, Verdict::kPass}}) {
    FakeSeries series;
    series.add({"SecureBase/Performance", "LighthousePerformance", {{"Url", "http://127.0.0.1:8080/"}}},
               {{"p50", point(97, runs)}});
    EXPECT_EQ(row_named(targets(series, kNow, hours{1}), "Lighthouse Performance").verdict, verdict) << runs;
  }
}

TEST(Targets, PassOnTheBetterSideOfTheLimitOnly) {
  for (const auto& [value, verdict] :
       {std::pair{99.9, Verdict::kPass}, std::pair{100.0, Verdict::kFail}, std::pair{180.0, Verdict::kFail}}) {
    FakeSeries series;
    series.add(latency("securebase-api"), {{"p95", point(value, 200)}});
    EXPECT_EQ(api_p95(series).verdict, verdict) << value;
  }
}

TEST(Targets, UptimePassesAtItsLimit) {
  for (const auto& [value, verdict] : {std::pair{99.95, Verdict::kPass}, std::pair{99.94, Verdict::kFail}}) {
    FakeSeries series;
    series.add({"CloudWatchSynthetics", "SuccessPercent", {{"CanaryName", "portal"}}},
               {{"Average", point(value, 3600)}});
    EXPECT_EQ(row_named(targets(series, kNow, hours{1}), "Uptime").verdict, verdict) << value;
  }
}

TEST(Targets, TooFewSamplesNeverPass) {
  FakeSeries series;
  series.add(latency("securebase-api"), {{"p95", point(3, 199)}});
  const auto row = api_p95(series);
  EXPECT_EQ(row.verdict, Verdict::kTooFew);
  EXPECT_EQ(row.samples, 199u);
  EXPECT_EQ(row.samples_needed, 200u);
}

TEST(Targets, TheWorstOfSeveralDecides) {
  FakeSeries series;
  series.add(latency("fast"), {{"p95", point(3, 5000)}});
  series.add(latency("slow"), {{"p95", point(400, 300)}});
  series.add(latency("rare"), {{"p95", point(900, 3)}});
  const auto row = api_p95(series);
  EXPECT_EQ(row.verdict, Verdict::kFail);
  EXPECT_EQ(row.value, 400);
  EXPECT_THAT(row.note, HasSubstr("slow of 3"));
}

TEST(Targets, SeriesWithFurtherDimensionsAreOfSomethingElse) {
  FakeSeries series;
  series.add({"AWS/ApiGateway", "Latency", {{"ApiName", "securebase-api"}, {"Stage", "prod"}}},
             {{"p95", point(400, 300)}});
  EXPECT_EQ(api_p95(series).verdict, Verdict::kNoData);
}

TEST(Targets, NameTheCommandThatShowsTheEvidence) {
  FakeSeries series;
  series.add(latency("securebase-api"), {{"p95", point(12, 300)}});
  EXPECT_EQ(api_p95(series).evidence,
            "aws cloudwatch get-metric-statistics --namespace AWS/ApiGateway --metric-name Latency --dimensions "
            "Name=ApiName,Value=securebase-api --start-time 2026-11-26T23:00:00Z --end-time 2026-11-27T00:00:00Z "
            "--period 3600 --statistics p95");
}

TEST(Targets, AreTextForPeopleAndJsonForPrograms) {
  FakeSeries series;
  series.add(latency("securebase-api"), {{"p95", point(12.34, 300)}});
  const auto rows = targets(series, kNow, hours{1});
  EXPECT_THAT(render(rows, hours{1}), HasSubstr("12.3 ms  pass"));
  const auto json = to_json(rows, kNow, hours{1});
  EXPECT_EQ(json["targets"].as_array()->size(), 11u);
  EXPECT_FALSE(json["pass"].bool_or(true));
}

}  // namespace
}  // namespace securebase::advisor
