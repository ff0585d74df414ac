#include "monitoring/metrics/collector.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitoring/metrics/exposition.h"
#include "monitoring/metrics/test_directory.h"
#include "monitoring/monitoring.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using telemetry::Metric;
using telemetry::Unit;

constexpr Metric kCount{"AWS/ApiGateway", "Count", Unit::kCount, "Requests."};
constexpr Metric kErrors{"AWS/ApiGateway", "5XXError", Unit::kCount, "Answers of 5xx."};
constexpr Metric kHits{"AWS/CloudFront", "CacheHitRate", Unit::kPercent, "100 or 0."};
constexpr Metric kBytes{"AWS/CloudFront", "BytesDownloaded", Unit::kNone, "Bytes."};
constexpr Metric kDuration{"AWS/Lambda", "Duration", Unit::kMilliseconds, "Time."};
constexpr Metric kOpen{"Test", "Open", Unit::kCount, "Connections."};

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() {
    store_ = *Store::open({.directory = directory_.path(), .threads = false}, clock_);
    collector_ = std::make_unique<Collector>(registry_, *store_);
  }
  void second_passes() {
    clock_.advance(1s);
    collector_->collect(clock_.now() - 1s);
  }
  double read(const MetricId& metric, const char* statistic) {
    MetricQuery query{.metric = metric,
                      .statistic = statistic,
                      .period = 3600s,
                      .from = base::TimePoint{1'699'999'200s},
                      .to = clock_.now()};
    const auto points = store_->read(query);
    EXPECT_TRUE(points);
    return points && points->size() == 1 ? points->front().value : -1;
  }

  TestDirectory directory_;
  base::ManualClock clock_;
  telemetry::Registry registry_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CollectorTest, CountsEventsAsSamplesAndAmountsAsOne) {
  auto& count = registry_.counter(kCount, {{"ApiName", "a"}});
  auto& bytes = registry_.counter(kBytes, {{"DistributionId", "E1"}, {"Region", "Global"}});
  for (int second = 0; second < 3; ++second) {
    count.add(5);
    bytes.add(1000);
    second_passes();
  }
  second_passes();  // nothing new: no sample
  const MetricId of_api{"AWS/ApiGateway", "Count", {{"ApiName", "a"}}};
  EXPECT_EQ(read(of_api, "Sum"), 15);
  EXPECT_EQ(read(of_api, "SampleCount"), 15);
  const MetricId downloaded{"AWS/CloudFront", "BytesDownloaded", {{"DistributionId", "E1"}, {"Region", "Global"}}};
  EXPECT_EQ(read(downloaded, "Sum"), 3000);
  EXPECT_EQ(read(downloaded, "SampleCount"), 3);
}

TEST_F(CollectorTest, TheAverageOfAPartIsItsRate) {
  auto& errors = registry_.counter(kErrors, {{"ApiName", "a"}});  // before its whole
  auto& count = registry_.counter(kCount, {{"ApiName", "a"}});
  for (int request = 0; request < 200; ++request) {
    count.add();
    if (request % 50 == 0) errors.add();
    if (request % 70 == 0) second_passes();
  }
  second_passes();
  const MetricId metric{"AWS/ApiGateway", "5XXError", {{"ApiName", "a"}}};
  EXPECT_EQ(read(metric, "Average"), 0.02);
  EXPECT_EQ(read(metric, "Sum"), 4);
  EXPECT_EQ(read(metric, "SampleCount"), 200);
}

TEST_F(CollectorTest, RecordsGaugesEachSecond) {
  auto& open = registry_.gauge(kOpen);
  open.set(4);
  second_passes();
  open.set(8);
  second_passes();
  EXPECT_EQ(read({"Test", "Open", {}}, "Average"), 6);
  EXPECT_EQ(read({"Test", "Open", {}}, "SampleCount"), 2);
}

TEST_F(CollectorTest, WritesWhatAwsHasUnderFewerDimensionsToo) {
  registry_.distribution(kHits, {{"DistributionId", "E1"}, {"Region", "Global"}}).record(100);
  registry_.distribution(kDuration, {{"FunctionName", "a"}}).record(10);
  registry_.distribution(kDuration, {{"FunctionName", "b"}}).record(30);
  registry_.distribution(kDuration, {{"FunctionName", "b"}, {"Resource", "b:prod"}}).record(30);
  second_passes();
  EXPECT_EQ(read({"AWS/CloudFront", "CacheHitRate", {{"DistributionId", "E1"}}}, "Average"), 100);
  EXPECT_EQ(read({"AWS/CloudFront", "CacheHitRate", {{"DistributionId", "E1"}, {"Region", "Global"}}}, "Average"), 100);
  EXPECT_EQ(read({"AWS/Lambda", "Duration", {}}, "Sum"), 40) << "each function once";
  EXPECT_EQ(read({"AWS/Lambda", "Duration", {}}, "p100"), 30);
  EXPECT_EQ(read({"AWS/Lambda", "Duration", {{"FunctionName", "a"}}}, "Sum"), 10);
}

TEST_F(CollectorTest, IsExposedToPrometheus) {
  registry_.counter(kBytes, {{"DistributionId", "E\"1"}, {"Region", "Global"}}).add(7);
  registry_.gauge(kOpen).set(4);
  auto& duration = registry_.distribution(kDuration, {{"FunctionName", "a"}});
  for (const double value : {0.5, 50.0, 100.0, 99'999.0}) duration.record(value);
  const auto last_minute = std::chrono::floor<std::chrono::minutes>(clock_.now()) - 1min;
  Summary samples;
  samples.add(2, 3);
  const Datum put{{"SecureBase/Performance", "CacheHitRate", {{"Tier", "gold"}}},
                  *unit_number("Percent"),
                  Resolution::kMinute,
                  last_minute,
                  samples};
  ASSERT_TRUE(store_->put({&put, 1}));
  const auto text = expose(registry_, *store_, ExpositionFormat::kPrometheus, clock_.now());
  for (const char* line : {"# TYPE aws_cloudfront_bytes_downloaded_total counter\n",
                           "aws_cloudfront_bytes_downloaded_total{distribution_id=\"E\\\"1\",region=\"Global\"} 7\n",
                           "# HELP test_open Connections.\n# TYPE test_open gauge\ntest_open 4.0\n",
                           "# TYPE aws_lambda_duration_milliseconds histogram\n",
                           "aws_lambda_duration_milliseconds_bucket{function_name=\"a\",le=\"50.0\"} 2\n",
                           "aws_lambda_duration_milliseconds_bucket{function_name=\"a\",le=\"100.0\"} 3\n",
                           "aws_lambda_duration_milliseconds_bucket{function_name=\"a\",le=\"60000.0\"} 3\n",
                           "aws_lambda_duration_milliseconds_bucket{function_name=\"a\",le=\"+Inf\"} 4\n",
                           "aws_lambda_duration_milliseconds_sum{function_name=\"a\"} 100149.5\n",
                           "aws_lambda_duration_milliseconds_count{function_name=\"a\"} 4\n",
                           "securebase_performance_cache_hit_rate_percent_average{tier=\"gold\"} 2.0\n",
                           "securebase_performance_cache_hit_rate_percent_sample_count{tier=\"gold\"} 3.0\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "is not in\n" << text;
  }
  const auto open_metrics = expose(registry_, *store_, ExpositionFormat::kOpenMetrics, clock_.now());
  EXPECT_NE(open_metrics.find("# TYPE aws_cloudfront_bytes_downloaded counter\n"), std::string::npos);
  EXPECT_TRUE(open_metrics.ends_with("# EOF\n"));
  EXPECT_EQ(prometheus_name("AWS/ApiGateway", "4XXError", "Count"), "aws_apigateway_4xxerror");
  EXPECT_EQ(prometheus_name("9/x", "aB", "Bytes/Second"), "_9_x_a_b_bytes_per_second");
}

TEST(Metrics, CollectsByItselfAndTakesWhatItIsGiven) {
  TestDirectory directory;
  telemetry::Registry registry;
  auto& duration = registry.distribution(kDuration, {{"FunctionName", "a"}});
  const auto begin = std::chrono::floor<std::chrono::hours>(base::system_clock().now()) - 1h;
  const MetricQuery recorded{
      .metric = {"AWS/Lambda", "Duration", {}}, .statistic = "p95", .period = 3600s, .from = begin, .to = begin + 3h};
  MetricQuery given = recorded;
  given.metric = {"App", "Orders", {{"A", "1"}, {"B", "2"}}};
  given.statistic = "Sum";
  {
    auto metrics = Metrics::open({.directory = directory.path()}, registry);
    ASSERT_TRUE(metrics) << metrics.error().message;
    duration.record(12.5);
    MetricSamples samples{
        {"App", "Orders", {{"B", "2"}, {"A", "1"}}}, "Count", base::system_clock().now(), true, {{3, 2}}};
    ASSERT_TRUE((*metrics)->put({&samples, 1}));
    EXPECT_EQ((*metrics)->series().read(given)->at(0).value, 6);
    samples.unit = "Furlong";
    EXPECT_FALSE((*metrics)->put({&samples, 1}));
    samples.unit = "Count";
    samples.values = {{NAN, 1}};
    EXPECT_FALSE((*metrics)->put({&samples, 1}));
  }
  telemetry::Registry another;
  auto metrics = Metrics::open({.directory = directory.path()}, another);
  ASSERT_TRUE(metrics);
  EXPECT_EQ((*metrics)->series().read(recorded)->at(0).value, 12.5) << "collected at its end";
  EXPECT_EQ((*metrics)->series().read(given)->at(0).value, 6);
}

}  // namespace
}  // namespace securebase::monitoring
