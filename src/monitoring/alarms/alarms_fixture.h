// What the tests of alarms stand on: an engine with a directory, a clock that stands still, series that are put by hand
// and a sink that keeps what was told.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "monitoring/alarms.h"
#include "monitoring/fake_series.h"

namespace securebase::monitoring {

using namespace std::chrono_literals;

inline const MetricId kAlarmMetric{"Test", "latency", {{"Api", "a"}}};
inline const std::string kAlarmTopic = "arn:aws:sns:us-east-1:123456789012:alerts";

class AlarmSink final : public ActionSink {
 public:
  Result<Done> perform(const std::string& action, const AlarmNotification& notification) override {
    if (failure) return *failure;
    subjects.push_back(notification.subject);
    told.push_back(notification);
    actions.push_back(action);
    return Done{};
  }
  std::optional<Error> failure;
  std::vector<std::string> subjects;
  std::vector<std::string> actions;
  std::vector<AlarmNotification> told;
};

class AlarmsTest : public ::testing::Test {
 protected:
  AlarmsTest() : directory_(std::filesystem::temp_directory_path() / ("alarms-" + base::random_hex(12))) { reopen(); }
  ~AlarmsTest() override {
    alarms_.reset();
    std::filesystem::remove_all(directory_);
  }
  void reopen() {
    alarms_.reset();
    auto opened = Alarms::open({.directory = directory_}, series_, sink_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    alarms_ = std::move(*opened);
  }
  static AlarmDefinition definition(const std::string& name, int n = 1, int m = 0) {
    AlarmDefinition made;
    made.name = name;
    made.alarm_actions = made.ok_actions = {kAlarmTopic};
    MetricRule rule;
    rule.metric = MetricStat{kAlarmMetric, 60s, "Average", std::nullopt};
    rule.evaluation_periods = n;
    rule.datapoints_to_alarm = m;
    rule.threshold = 100;
    made.rule = rule;
    return made;
  }
  static AlarmDefinition composite(const std::string& name, const std::string& rule) {
    AlarmDefinition made;
    made.name = name;
    made.alarm_actions = made.ok_actions = {kAlarmTopic};
    made.rule = CompositeRule{rule, "", 0s, 0s};
    return made;
  }
  void put(const AlarmDefinition& made) {
    const auto done = alarms_->put(made);
    ASSERT_TRUE(done) << done.error().message;
  }
  // A minute with that value ends, and is looked at.
  void minute(std::optional<double> value) {
    if (value) series_.put(kAlarmMetric, clock_.now(), *value);
    clock_.advance(60s);
    alarms_->evaluate();
    alarms_->deliver();
  }
  AlarmState state(const std::string& name) { return alarms_->find(name)->status.state; }
  std::vector<std::string> told() { return std::exchange(sink_.subjects, {}); }

  const std::filesystem::path directory_;
  base::ManualClock clock_{base::TimePoint{1'700'000'040s}};
  FakeSeries series_;
  AlarmSink sink_;
  std::unique_ptr<Alarms> alarms_;
};

}  // namespace securebase::monitoring
