#include "monitoring/api_metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitoring/metrics/test_directory.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using aws::Value;

class MetricsApi : public testing::Test {
 protected:
  MetricsApi() : clock_(base::TimePoint{1'700'006'400s + 7200s}) {
    store_ = *Store::open({.directory = directory_.path(), .series_limit = 600, .threads = false}, clock_);
  }
  aws::Outcome call(aws::Outcome (*operation)(const Store&, const aws::Call&), Value input) {
    return operation(*store_, of(std::move(input)));
  }
  aws::Outcome put(Value data, const char* name_space = "App") {
    return put_metric_data(*store_, of(Value::structure({{"Namespace", name_space}, {"MetricData", std::move(data)}})));
  }
  // The fault's code and message, or "".
  std::string refusal(Value datum) {
    const auto outcome = put(Value::list({std::move(datum)}));
    return outcome ? "" : outcome.error().code + ": " + outcome.error().message;
  }
  aws::Call of(Value input) {
    return {.service = "cloudwatch",
            .operation = "",
            .identity = nobody_,
            .region = "us-east-1",
            .account = "123456789012",
            .request_id = "",
            .now = clock_.now(),
            .input = std::move(input),
            .request = request_};
  }
  Value query(std::initializer_list<Value::Member> more) {
    Value input = Value::structure({{"Namespace", "App"},
                                    {"MetricName", "Latency"},
                                    {"StartTime", clock_.now() - 1h},
                                    {"EndTime", clock_.now() + 1min},
                                    {"Period", 300}});
    for (const auto& [name, value] : more) input.set(name, value);
    return input;
  }

  TestDirectory directory_;
  base::ManualClock clock_;
  std::unique_ptr<Store> store_;
  const aws::Identity nobody_;
  const http::Request request_;
};

Value latency(std::initializer_list<Value::Member> more) {
  Value datum = Value::structure({{"MetricName", "Latency"}});
  for (const auto& [name, value] : more) datum.set(name, value);
  return datum;
}

TEST_F(MetricsApi, TakesValuesListsAndSetsAndGivesThemBack) {
  ASSERT_TRUE(put(Value::list(
      {latency({{"Value", 7.0}, {"Unit", "Milliseconds"}}),
       latency(
           {{"Values", Value::list({1.0, 2.0})}, {"Counts", Value::list({3.0, 6.0})}, {"Unit", "Milliseconds"}})})));
  auto outcome = call(get_metric_statistics, query({{"Statistics", Value::list({"Sum,SampleCount", "p90"})}}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->output["Label"].string_or(""), "Latency");
  const auto& datapoints = outcome->output["Datapoints"].elements();
  ASSERT_EQ(datapoints.size(), 1u);
  EXPECT_EQ(datapoints[0]["Sum"].number_or(0), 22);
  EXPECT_EQ(datapoints[0]["SampleCount"].number_or(0), 10);
  EXPECT_EQ(datapoints[0]["Unit"].string_or(""), "Milliseconds");
  EXPECT_NEAR(datapoints[0]["ExtendedStatistics"]["p90"].number_or(0), 2, 0.02);
  EXPECT_EQ(datapoints[0]["Timestamp"].time_or({}), clock_.now()) << "the start of its period";

  const auto set = Value::structure({{"SampleCount", 4.0}, {"Sum", 10.0}, {"Minimum", 1.0}, {"Maximum", 4.0}});
  ASSERT_TRUE(put(Value::list({latency({{"StatisticValues", set}, {"Unit", "Seconds"}})})));
  outcome = call(get_metric_statistics, query({{"ExtendedStatistics", Value::list({"p50"})}, {"Unit", "Seconds"}}));
  EXPECT_TRUE(outcome->output["Datapoints"].elements().empty()) << "a set has no percentiles";
  outcome = call(get_metric_statistics, query({{"Statistics", Value::list({"Average"})}}));
  EXPECT_EQ(outcome->output["Datapoints"].elements().size(), 2u) << "without a unit, one of each";
  outcome = call(get_metric_statistics, query({{"Statistics", Value::list({"Average"})}, {"Unit", "Count"}}));
  EXPECT_TRUE(outcome->output["Datapoints"].elements().empty());
}

TEST_F(MetricsApi, RefusesWhatCloudWatchRefuses) {
  EXPECT_TRUE(refusal(latency({})).starts_with("MissingParameter")) << refusal(latency({}));
  const auto both = refusal(latency({{"Value", 1.0}, {"Values", Value::list({1.0})}}));
  EXPECT_EQ(both,
            "InvalidParameterCombination: The parameters MetricData.member.1.Value and MetricData.member.1.Values "
            "are mutually exclusive and you have specified both.");
  const auto uneven = refusal(latency({{"Values", Value::list({1.0})}, {"Counts", Value::list({1.0, 2.0})}}));
  EXPECT_NE(uneven.find("must be of the same size"), std::string::npos) << uneven;
  Value::List many(151, Value(1.0));
  Value::List dimensions;
  for (int i = 0; i < 31; ++i) {
    dimensions.push_back(Value::structure({{"Name", "D" + std::to_string(i)}, {"Value", "v"}}));
  }
  const Value twice = Value::list(
      {Value::structure({{"Name", "A"}, {"Value", "1"}}), Value::structure({{"Name", "A"}, {"Value", "2"}})});
  for (const auto& bad :
       {latency({{"Values", many}}), latency({{"Value", 1.0}, {"Dimensions", dimensions}}),
        latency({{"Value", 1.0}, {"Dimensions", twice}}), latency({{"Value", NAN}}), latency({{"Value", INFINITY}}),
        latency({{"Value", 0x1p361}}), latency({{"Value", 1.0}, {"Unit", "Furlong"}}),
        latency({{"Value", 1.0}, {"StorageResolution", 5}}),
        latency({{"Value", 1.0}, {"Timestamp", clock_.now() - 15 * 24h}}),
        latency({{"Value", 1.0}, {"Timestamp", clock_.now() + 3h}}),
        latency({{"Values", Value::list({1.0})}, {"Counts", Value::list({0.0})}}),
        latency({{"StatisticValues",
                  Value::structure({{"SampleCount", 2.0}, {"Sum", 1.0}, {"Minimum", 5.0}, {"Maximum", 4.0}})}})}) {
    EXPECT_TRUE(refusal(bad).starts_with("InvalidParameterValue: ")) << refusal(bad);
  }
  EXPECT_FALSE(put(Value::list({latency({{"Value", 1.0}})}), "AWS/Lambda"));
  EXPECT_FALSE(put(Value::list({latency({{"Value", 1.0}})}), ":App"));
  EXPECT_FALSE(put(Value(Value::List(1001, latency({{"Value", 1.0}})))));
  EXPECT_TRUE(store_->list({}).empty());
}

TEST_F(MetricsApi, SaysThatThereAreTooManyMetrics) {
  Value::List data;
  for (int i = 0; i < 601; ++i)
    data.push_back(Value::structure({{"MetricName", "M" + std::to_string(i)}, {"Value", 1.0}}));
  const auto refused = put(data);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "LimitExceeded");
  EXPECT_TRUE(store_->list({}).empty()) << "all or none";
}

TEST_F(MetricsApi, HoldsQueriesToPeriodsAndDatapoints) {
  const auto refusal = [&](Value input) {
    const auto outcome = call(get_metric_statistics, std::move(input));
    return outcome ? std::string() : outcome.error().code;
  };
  const auto average = Value::list({"Average"});
  for (const int period : {2, 15, 59, 61, 90, 86'460}) {
    EXPECT_EQ(refusal(query({{"Statistics", average}, {"Period", period}})), "InvalidParameterValue") << period;
  }
  EXPECT_EQ(refusal(query({{"Statistics", average}, {"Period", 1}})), "InvalidParameterCombination");
  EXPECT_EQ(
      refusal(query(
          {{"Statistics", average}, {"StartTime", clock_.now() - 24h}, {"EndTime", clock_.now()}, {"Period", 60}})),
      "")
      << "1440 are allowed";
  EXPECT_EQ(refusal(query({{"Statistics", average},
                           {"StartTime", clock_.now() - 24h - 1min},
                           {"Period", 60},
                           {"EndTime", clock_.now()}})),
            "InvalidParameterCombination");
  EXPECT_EQ(refusal(query({{"Statistics", average}, {"EndTime", clock_.now() - 1h}})), "InvalidParameterCombination");
  EXPECT_EQ(refusal(query({})), "MissingParameter");
  EXPECT_EQ(refusal(query({{"Statistics", Value::list({"p101"})}})), "InvalidParameterValue");
}

TEST_F(MetricsApi, ListsInPagesThatHoldWhileMetricsCome) {
  const auto metric = [](int i) {
    return Value::structure({{"MetricName", fmt::format("M{:03}", i)}, {"Value", 1.0}});
  };
  Value::List data;
  for (int i = 0; i < 500; ++i) data.push_back(metric(i * 2 % 1000));
  ASSERT_TRUE(put(data));
  auto first = call(list_metrics, Value::structure({{"Namespace", "App"}}));
  EXPECT_TRUE(first->output["NextToken"].is_null());
  ASSERT_TRUE(put(Value::list({metric(1), metric(999)})));
  first = call(list_metrics, Value::structure({{"Namespace", "App"}}));
  ASSERT_EQ(first->output["Metrics"].elements().size(), 500u);
  ASSERT_TRUE(put(Value::list({metric(3)})));  // before the token
  const auto second = call(list_metrics, Value::structure({{"NextToken", first->output["NextToken"]}}));
  ASSERT_EQ(second->output["Metrics"].elements().size(), 2u);
  EXPECT_EQ(second->output["Metrics"].elements()[1]["MetricName"].string_or(""), "M999");
  EXPECT_FALSE(call(list_metrics, Value::structure({{"NextToken", "nonsense"}})));
  clock_.advance(4h);
  ASSERT_TRUE(put(Value::list({metric(7)})));
  const auto recent = call(list_metrics, Value::structure({{"RecentlyActive", "PT3H"}}));
  ASSERT_EQ(recent->output["Metrics"].elements().size(), 1u);
}

}  // namespace
}  // namespace securebase::monitoring
