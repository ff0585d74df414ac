// service/infra/monitoring.tf: the guide's eight alarms and two dashboards, and that their expressions make sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/random.h"
#include "monitoring/dashboards.h"
#include "stack/stack.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;

class Service : public ::testing::Test {
 protected:
  // What other files of the stack say, in its place.
  static std::string alone(std::string text) {
    const std::pair<std::string, std::string> kOthers[] = {
        {"aws_sns_topic.alerts.arn", "\"arn:aws:sns:us-east-1:123456789012:securebase-prod-alerts\""},
        {"aws_sns_topic.critical.arn", "\"arn:aws:sns:us-east-1:123456789012:securebase-prod-critical\""},
        {"aws_api_gateway_rest_api.main.name", "\"securebase-api\""},
        {"module.cloudfront.distribution_id", "\"E1234ABCD\""},
        {"local.functions :", "local.function_names :"},
        {"function.function_name", "function"},
        {"var.alarm_period.long", "300"},
        {"var.alarm_period.short", "60"},
        {"aws_rum_app_monitor.portal.name", "\"securebase-prod-portal\""},
        {"var.region", "\"us-east-1\""}};
    for (const auto& [from, to] : kOthers) {
      EXPECT_NE(text.find(from), std::string::npos) << from;
      for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    }
    return text +
           "\nlocals {\n  name = \"securebase-prod\"\n"
           "  function_names = { auth = \"securebase-prod-auth\", critical-api = \"securebase-prod-critical-api\" "
           "}\n}\n";
  }
  void SetUp() override {
    const auto directory = std::filesystem::temp_directory_path() / ("monitoring-tf-" + base::random_hex(12));
    std::filesystem::create_directory(directory);
    std::ofstream(directory / "main.tf") << alone(*base::read_file("../../service/infra/monitoring.tf"));
    stack::Catalogue catalogue;
    declare_alarms(catalogue);
    stack::Inputs inputs;
    inputs.directory = directory;
    auto loaded = stack::load(inputs, catalogue);
    std::filesystem::remove_all(directory);
    ASSERT_TRUE(loaded) << stack::render(loaded.error());
    auto config = configure_alarms(*loaded);
    ASSERT_TRUE(config) << stack::render(config.error());
    config_ = *config;
  }
  const MetricRule& rule(const std::string& name) {
    for (const auto& alarm : config_->alarms) {
      if (alarm.name == name) return std::get<MetricRule>(alarm.rule);
    }
    static const MetricRule none;
    ADD_FAILURE() << "no alarm " << name;
    return none;
  }
  std::shared_ptr<const AlarmsConfig> config_;
};

TEST_F(Service, HasTheGuidesAlarms) {
  const auto expect = [&](const std::string& name, const std::string& metric, const std::string& stat,
                          std::chrono::seconds time, double threshold) {
    const auto& found = rule("securebase-prod-" + name);
    EXPECT_EQ(found.threshold, threshold) << name;
    EXPECT_EQ(found.comparison, Comparison::kGreaterThanThreshold) << name;
    const auto* read = found.metric ? &*found.metric : nullptr;
    for (const auto& query : found.metrics) {
      if (query.metric_stat) read = &*query.metric_stat;
    }
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(read->metric.name_space + " " + read->metric.name, metric);
    EXPECT_EQ(read->stat, stat) << name;
    EXPECT_EQ(read->period * found.evaluation_periods, time) << name;
  };
  expect("api-p95-latency", "AWS/ApiGateway Latency", "p95", 10min, 100);
  expect("lambda-errors", "AWS/Lambda Errors", "Sum", 5min, 10);
  expect("lambda-throttles", "AWS/Lambda Throttles", "Sum", 1min, 0);
  expect("api-5xx", "AWS/ApiGateway 5XXError", "Sum", 5min, 5);
  expect("sessions-throttles", "AWS/DynamoDB WriteThrottleEvents", "Sum", 1min, 0);
  expect("cache-cpu", "AWS/ElastiCache CPUUtilization", "Average", 5min, 75);
  expect("cache-memory", "AWS/ElastiCache DatabaseMemoryUsagePercentage", "Average", 5min, 85);
  expect("cdn-5xx-rate", "AWS/CloudFront 5xxErrorRate", "Average", 5min, 1);
  for (const auto& alarm : config_->alarms) {
    EXPECT_THAT(alarm.alarm_actions, ::testing::Contains("arn:aws:sns:us-east-1:123456789012:securebase-prod-alerts"))
        << alarm.name;
  }
}

TEST_F(Service, HasTheGuidesDashboards) {
  ASSERT_EQ(config_->dashboards.size(), 2U);
  for (const auto& dashboard : config_->dashboards) {
    const auto check = check_dashboard(dashboard.body);
    EXPECT_TRUE(check.errors.empty() && check.warnings.empty()) << dashboard.name;
  }
  EXPECT_EQ(config_->dashboards[0].name, "securebase-prod-performance");
  EXPECT_EQ(config_->dashboards[1].name, "securebase-prod-uptime");
}

}  // namespace
}  // namespace securebase::monitoring
