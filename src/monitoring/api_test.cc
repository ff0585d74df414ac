// The operations as a client calls them, and the stack's own alarms and dashboards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "monitoring/api.h"
#include "monitoring/fake_series.h"
#include "stack/plan.h"
#include "stack/stack.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using aws::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class NoSink final : public ActionSink {
 public:
  Result<Done> perform(const std::string&, const AlarmNotification&) override { return Done{}; }
};

class Api : public ::testing::Test {
 protected:
  Api() : directory_(std::filesystem::temp_directory_path() / ("alarms-api-" + base::random_hex(12))) {
    alarms_ = *Alarms::open({.directory = directory_ / "alarms"}, series_, sink_, clock_);
    dashboards_ = *Dashboards::open(directory_ / "dashboards", clock_);
  }
  ~Api() override { std::filesystem::remove_all(directory_); }

  template <class Operation, class... On>
  aws::Outcome call(Operation operation, Value input, On&... on) {
    const aws::Call made{"cloudwatch", "",           identity_,        "us-east-1", "123456789012",
                         "r",          clock_.now(), std::move(input), request_};
    return operation(on..., made);
  }
  template <class Operation, class... On>
  Value answer(Operation operation, Value input, On&... on) {
    auto outcome = call(operation, std::move(input), on...);
    EXPECT_TRUE(outcome) << outcome.error().code << ": " << outcome.error().message;
    return outcome ? outcome->output : Value();
  }
  template <class Operation, class... On>
  std::string fault(Operation operation, Value input, On&... on) {
    auto outcome = call(operation, std::move(input), on...);
    return outcome ? "" : outcome.error().code + ": " + outcome.error().message;
  }
  static Value alarm(const std::string& name) {
    return Value::structure(
        {{"AlarmName", name},
         {"Namespace", "AWS/Lambda"},
         {"MetricName", "Errors"},
         {"Dimensions", Value::list({Value::structure({{"Name", "FunctionName"}, {"Value", "f"}})})},
         {"Statistic", "Sum"},
         {"Period", 300},
         {"EvaluationPeriods", 1},
         {"Threshold", 10.0},
         {"ComparisonOperator", "GreaterThanThreshold"},
         {"TreatMissingData", "notBreaching"},
         {"Tags", Value::list({Value::structure({{"Key", "Team"}, {"Value", "x"}})})}});
  }

  const std::filesystem::path directory_;
  base::ManualClock clock_{base::TimePoint{1'700'000'040s}};
  FakeSeries series_;
  NoSink sink_;
  aws::Identity identity_;
  http::Request request_;
  std::unique_ptr<Alarms> alarms_;
  std::unique_ptr<Dashboards> dashboards_;
};

TEST_F(Api, DescribesWhatWasPut) {
  answer(api::put_metric_alarm, alarm("a"), *alarms_);
  const auto output = answer(api::describe_alarms, Value::structure(), *alarms_);
  ASSERT_THAT(output["MetricAlarms"].elements(), SizeIs(1));
  const auto& found = output["MetricAlarms"].elements()[0];
  EXPECT_EQ(found["AlarmArn"].string_or(""), "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a");
  EXPECT_EQ(found["StateValue"].string_or(""), "INSUFFICIENT_DATA");
  EXPECT_EQ(found["Threshold"].number_or(0), 10);
  EXPECT_EQ(found["Period"].integer_or(0), 300);
  EXPECT_EQ(found["TreatMissingData"].string_or(""), "notBreaching");
  EXPECT_TRUE(found["AlarmConfigurationUpdatedTimestamp"].is_time());
  EXPECT_TRUE(found["Tags"].is_null());
}

TEST_F(Api, PagesAndFilters) {
  for (int i = 0; i < 7; ++i) answer(api::put_metric_alarm, alarm("a" + std::to_string(i)), *alarms_);
  answer(api::put_composite_alarm, Value::structure({{"AlarmName", "c"}, {"AlarmRule", "ALARM(a1) OR ALARM(a2)"}}),
         *alarms_);
  std::vector<std::string> names;
  Value input = Value::structure({{"MaxRecords", 3}});
  for (int pages = 0; pages < 5; ++pages) {
    const auto output = answer(api::describe_alarms, input, *alarms_);
    for (const auto& one : output["MetricAlarms"].elements()) names.emplace_back(one["AlarmName"].string_or(""));
    if (output["NextToken"].is_null()) break;
    input.set("NextToken", output["NextToken"]);
  }
  EXPECT_THAT(names, ElementsAre("a0", "a1", "a2", "a3", "a4", "a5", "a6"));
  const auto count = [&](Value by, std::string_view list) {
    return answer(api::describe_alarms, std::move(by), *alarms_)[list].elements().size();
  };
  EXPECT_EQ(count(Value::structure({{"AlarmNamePrefix", "a1"}}), "MetricAlarms"), 1U);
  EXPECT_EQ(count(Value::structure({{"ChildrenOfAlarmName", "c"}}), "MetricAlarms"), 2U);
  EXPECT_EQ(count(Value::structure({{"ParentsOfAlarmName", "a1"}}), "CompositeAlarms"), 1U);
  EXPECT_EQ(count(Value::structure({{"StateValue", "OK"}, {"AlarmTypes", Value::list({"CompositeAlarm"})}}),
                  "CompositeAlarms"),
            1U);
  EXPECT_EQ(count(Value::structure(), "CompositeAlarms"), 0U) << "without AlarmTypes, metric alarms are meant";
  EXPECT_THAT(fault(api::describe_alarms, Value::structure({{"NextToken", "nonsense"}}), *alarms_),
              HasSubstr("InvalidNextToken"));
}

TEST_F(Api, PagesTheHistoryWithoutLosingOrRepeating) {
  for (int i = 0; i < 6; ++i) answer(api::put_metric_alarm, alarm("a" + std::to_string(i)), *alarms_);
  clock_.advance(1s);
  answer(api::set_alarm_state, Value::structure({{"AlarmName", "a1"}, {"StateValue", "ALARM"}, {"StateReason", "r"}}),
         *alarms_);
  for (const char* order : {"TimestampAscending", "TimestampDescending"}) {
    std::vector<std::string> seen;
    Value input = Value::structure({{"MaxRecords", 2}, {"ScanBy", order}});
    for (int pages = 0; pages < 10; ++pages) {
      const auto output = answer(api::describe_alarm_history, input, *alarms_);
      for (const auto& one : output["AlarmHistoryItems"].elements()) {
        seen.push_back(std::string(one["AlarmName"].string_or("")) + std::string(one["HistoryItemType"].string_or("")));
      }
      if (output["NextToken"].is_null()) break;
      input.set("NextToken", output["NextToken"]);
    }
    EXPECT_THAT(seen, SizeIs(7)) << order;
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 7U) << order;
  }
}

TEST_F(Api, AnswersFaultsAsCloudWatch) {
  EXPECT_THAT(fault(api::delete_alarms, Value::structure({{"AlarmNames", Value::list({"nope"})}}), *alarms_),
              HasSubstr("ResourceNotFound"));
  auto wrong = alarm("a");
  wrong.set("Period", 45);
  EXPECT_THAT(fault(api::put_metric_alarm, wrong, *alarms_), HasSubstr("ValidationError: Period must be"));
  answer(api::put_metric_alarm, alarm("a"), *alarms_);
  EXPECT_THAT(fault(api::set_alarm_state,
                    Value::structure(
                        {{"AlarmName", "a"}, {"StateValue", "OK"}, {"StateReason", "r"}, {"StateReasonData", "{"}}),
                    *alarms_),
              HasSubstr("InvalidFormat"));
}

TEST_F(Api, Tags) {
  answer(api::put_metric_alarm, alarm("a"), *alarms_);
  const std::string arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a";
  answer(api::tag_resource,
         Value::structure({{"ResourceARN", arn},
                           {"Tags", Value::list({Value::structure({{"Key", "securebase:hold"}, {"Value", "5m"}})})}}),
         *alarms_);
  answer(api::untag_resource, Value::structure({{"ResourceARN", arn}, {"TagKeys", Value::list({"Team"})}}), *alarms_);
  const auto tags = answer(api::list_tags_for_resource, Value::structure({{"ResourceARN", arn}}), *alarms_)["Tags"];
  ASSERT_THAT(tags.elements(), SizeIs(1));
  EXPECT_EQ(tags.elements()[0]["Key"].string_or(""), "securebase:hold");
  EXPECT_THAT(fault(api::tag_resource,
                    Value::structure(
                        {{"ResourceARN", arn},
                         {"Tags", Value::list({Value::structure({{"Key", "securebase:hold"}, {"Value", "soon"}})})}}),
                    *alarms_),
              HasSubstr("InvalidParameterValue"));
  EXPECT_THAT(fault(api::list_tags_for_resource, Value::structure({{"ResourceARN", arn + "x"}}), *alarms_),
              HasSubstr("ResourceNotFoundException"));
}

Value metric_query(const std::string& id, bool returned = true) {
  return Value::structure(
      {{"Id", id},
       {"ReturnData", returned},
       {"MetricStat", Value::structure({{"Metric", Value::structure({{"Namespace", "N"}, {"MetricName", id}})},
                                        {"Period", 60},
                                        {"Stat", "Sum"}})}});
}

TEST_F(Api, GetsMetricDataInPages) {
  const auto start = clock_.now();
  for (int i = 0; i < 10; ++i) {
    series_.put({"N", "a", {}}, start + i * 60s, i);
    series_.put({"N", "b", {}}, start + i * 60s, 1);
  }
  clock_.advance(10min);
  Value input = Value::structure(
      {{"StartTime", start}, {"EndTime", clock_.now()}, {"MaxDatapoints", 4}, {"ScanBy", "TimestampAscending"}});
  input.set("MetricDataQueries",
            Value::list({metric_query("a"), metric_query("b", false),
                         Value::structure({{"Id", "e"}, {"Expression", "a + b"}, {"Label", "sum ${MAX}"}})}));
  std::map<std::string, std::vector<double>> values;
  std::string label;
  int pages = 0;
  for (; pages < 10; ++pages) {
    const auto output = answer(api::get_metric_data, input, *alarms_, series_);
    for (const auto& one : output["MetricDataResults"].elements()) {
      for (const auto& value : one["Values"].elements())
        values[std::string(one["Id"].string_or(""))].push_back(value.number_or(0));
      EXPECT_EQ(one["Values"].elements().size(), one["Timestamps"].elements().size());
      label = one["Label"].string_or("");
    }
    if (output["NextToken"].is_null()) break;
    input.set("NextToken", output["NextToken"]);
  }
  EXPECT_EQ(pages, 4);
  EXPECT_EQ(values["a"], (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(values["e"], (std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(values.count("b"), 0U);
  EXPECT_EQ(label, "sum 10");
}

TEST_F(Api, GetsMetricDataNewestFirstAndInThePeriodsThatAreKept) {
  const auto old = clock_.now() - 24h * 20;
  series_.put({"N", "a", {}}, old, 1);
  Value input = Value::structure(
      {{"StartTime", old - 1h}, {"EndTime", clock_.now()}, {"MetricDataQueries", Value::list({metric_query("a")})}});
  const auto output = answer(api::get_metric_data, input, *alarms_, series_);
  const auto& result = output["MetricDataResults"].elements()[0];
  EXPECT_EQ(result["StatusCode"].string_or(""), "Complete");
  EXPECT_EQ(result["Messages"].elements()[0]["Code"].string_or(""), "PeriodAdjusted");
  EXPECT_THAT(fault(api::get_metric_data,
                    Value::structure({{"StartTime", clock_.now()},
                                      {"EndTime", old},
                                      {"MetricDataQueries", Value::list({metric_query("a")})}}),
                    *alarms_, series_),
              HasSubstr("must be less than"));
  input.set("MetricDataQueries", Value::list({Value::structure({{"Id", "e"}, {"Expression", "1 +"}})}));
  EXPECT_THAT(fault(api::get_metric_data, input, *alarms_, series_),
              HasSubstr("ValidationError: Error in expression 'e': position 3"));
  input.set("MetricDataQueries", Value::list({Value::structure({{"Id", "e"}, {"Expression", "1 + 1"}})}));
  EXPECT_THAT(fault(api::get_metric_data, input, *alarms_, series_), HasSubstr("TIME_SERIES"));
}

TEST_F(Api, KeepsAnomalyDetectors) {
  const auto detector = Value::structure(
      {{"SingleMetricAnomalyDetector", Value::structure({{"Namespace", "N"}, {"MetricName", "a"}, {"Stat", "Sum"}})}});
  answer(api::put_anomaly_detector, detector, *alarms_);
  const auto found = answer(api::describe_anomaly_detectors, Value::structure(), *alarms_, series_)["AnomalyDetectors"];
  ASSERT_THAT(found.elements(), SizeIs(1));
  EXPECT_EQ(found.elements()[0]["StateValue"].string_or(""), "PENDING_TRAINING");
  answer(api::delete_anomaly_detector, detector, *alarms_);
  EXPECT_THAT(fault(api::delete_anomaly_detector, detector, *alarms_), HasSubstr("ResourceNotFoundException"));
}

TEST_F(Api, ChecksAndKeepsDashboards) {
  const std::string good =
      R"({"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"metrics":[)"
      R"(["AWS/Lambda","Errors","FunctionName","f",{"stat":"Sum"}],["...","g"],[{"expression":"m1+m2"}]],)"
      R"("region":"us-east-1","period":60}}]})";
  answer(api::put_dashboard, Value::structure({{"DashboardName", "d"}, {"DashboardBody", good}}), *dashboards_);
  dashboards_ = *Dashboards::open(directory_ / "dashboards", clock_);
  EXPECT_EQ(
      answer(api::get_dashboard, Value::structure({{"DashboardName", "d"}}), *dashboards_)["DashboardBody"].string_or(
          ""),
      good);
  EXPECT_THAT(answer(api::list_dashboards, Value::structure(), *dashboards_)["DashboardEntries"].elements(), SizeIs(1));
  auto bad =
      call(api::put_dashboard,
           Value::structure({{"DashboardName", "d"},
                             {"DashboardBody", R"({"widgets":[{"type":"metric","properties":{"metrics":[["a"]]}}]})"}}),
           *dashboards_);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, "InvalidParameterInput");
  const auto& messages = bad.error().members["dashboardValidationMessages"].elements();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[1]["DataPath"].string_or(""), "/widgets/0/properties/metrics/0");
  answer(api::delete_dashboards, Value::structure({{"DashboardNames", Value::list({"d"})}}), *dashboards_);
  EXPECT_THAT(fault(api::get_dashboard, Value::structure({{"DashboardName", "d"}}), *dashboards_),
              HasSubstr("ResourceNotFound"));
}

TEST_F(Api, DashboardsOfTheStackArePutBack) {
  AlarmsConfig config;
  config.dashboards = {{"d", R"({"widgets":[]})"}};
  ASSERT_TRUE(dashboards_->apply(config));
  answer(api::put_dashboard,
         Value::structure({{"DashboardName", "d"}, {"DashboardBody", R"({"widgets":[], "start":"-PT1H"})"}}),
         *dashboards_);
  ASSERT_THAT(dashboards_->drift(), SizeIs(1));
  EXPECT_EQ(dashboards_->drift()[0].attributes.at(0).path, "dashboard_body");
  ASSERT_TRUE(dashboards_->apply(config));
  EXPECT_EQ(dashboards_->find("d")->body, R"({"widgets":[]})");
  ASSERT_TRUE(dashboards_->apply({}));
  EXPECT_FALSE(dashboards_->find("d"));
}

class Stack : public ::testing::Test {
 protected:
  Stack() : directory_(std::filesystem::temp_directory_path() / ("alarms-stack-" + base::random_hex(12))) {
    std::filesystem::create_directory(directory_);
  }
  ~Stack() override { std::filesystem::remove_all(directory_); }
  Result<std::shared_ptr<const AlarmsConfig>, stack::Diagnostics> configured(const std::string& text) {
    std::ofstream(directory_ / "main.tf") << text;
    stack::Catalogue catalogue;
    declare_alarms(catalogue);
    stack::Inputs inputs;
    inputs.directory = directory_;
    auto loaded = stack::load(inputs, catalogue);
    if (!loaded) return loaded.error();
    return configure_alarms(*loaded);
  }
  const std::filesystem::path directory_;
};

TEST_F(Stack, ReadsAlarmsAndDashboards) {
  const auto config = configured(R"tf(
    resource "aws_cloudwatch_metric_alarm" "a" {
      alarm_name          = "a"
      comparison_operator = "GreaterThanThreshold"
      evaluation_periods  = 2
      extended_statistic  = "p95"
      metric_name         = "Latency"
      namespace           = "AWS/ApiGateway"
      dimensions          = { ApiName = "securebase-api" }
      period              = 300
      threshold           = 100
      evaluate_low_sample_count_percentiles = "ignore"
      tags                = { "securebase:hold" = "5m" }
    }
    resource "aws_cloudwatch_metric_alarm" "rate" {
      alarm_name          = "rate"
      comparison_operator = "GreaterThanThreshold"
      evaluation_periods  = 1
      threshold           = 1
      metric_query {
        id          = "e"
        expression  = "100 * m / 2"
        return_data = true
      }
      metric_query {
        id = "m"
        metric {
          metric_name = "5XXError"
          namespace   = "AWS/ApiGateway"
          period      = 60
          stat        = "Sum"
        }
      }
    }
    resource "aws_cloudwatch_composite_alarm" "c" {
      alarm_name = "c"
      alarm_rule = "ALARM(${aws_cloudwatch_metric_alarm.a.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.rate.arn})"
      actions_suppressor {
        alarm            = "a"
        wait_period      = 60
        extension_period = 30
      }
    }
    resource "aws_cloudwatch_dashboard" "d" {
      dashboard_name = "d"
      dashboard_body = jsonencode({ widgets = [{ type = "text", properties = { markdown = "# Hello" } }] })
    })tf");
  ASSERT_TRUE(config) << stack::render(config.error());
  ASSERT_THAT((*config)->alarms, SizeIs(3));
  const auto& rule = std::get<MetricRule>((*config)->alarms[0].rule);
  EXPECT_EQ(rule.metric->stat, "p95");
  EXPECT_EQ(rule.metric->period, 300s);
  EXPECT_TRUE(rule.ignore_low_samples);
  EXPECT_EQ(std::get<CompositeRule>((*config)->alarms[2].rule).wait, 60s);
  EXPECT_THAT((*config)->dashboards, SizeIs(1));
}

TEST_F(Stack, SaysWhatIsWrongWithAnAlarm) {
  const auto config = configured(R"(
    resource "aws_cloudwatch_metric_alarm" "a" {
      alarm_name          = "a"
      comparison_operator = "GreaterThanThreshold"
      evaluation_periods  = 2
      statistic           = "Sum"
      metric_name         = "Errors"
      namespace           = "AWS/Lambda"
      period              = 45
      threshold           = 100
    })");
  ASSERT_FALSE(config);
  EXPECT_THAT(stack::render(config.error()), HasSubstr("aws_cloudwatch_metric_alarm.a: Period must be 10, 20, 30"));
}

}  // namespace
}  // namespace securebase::monitoring
