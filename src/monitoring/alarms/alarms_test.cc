// The engine: states, when they are looked at and what survives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "monitoring/alarms/alarms_fixture.h"
#include "stack/plan.h"

namespace securebase::monitoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(AlarmsTest, GoThroughTheirStatesAndTell) {
  put(definition("a", 3, 2));
  EXPECT_EQ(alarms_->find("a")->status.reason, "Unchecked: Initial alarm creation");
  minute(50);
  EXPECT_EQ(state("a"), AlarmState::kOk);
  EXPECT_THAT(told(), ElementsAre("OK: \"a\" in US East (N. Virginia)"));
  minute(131);
  EXPECT_EQ(state("a"), AlarmState::kOk);
  minute(118.4);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  EXPECT_THAT(told(), ElementsAre("ALARM: \"a\" in US East (N. Virginia)"));
  const auto status = alarms_->find("a")->status;
  EXPECT_THAT(status.reason, HasSubstr("2 out of the last 3 datapoints [118.4 ("));
  const auto message = base::Json::parse(sink_.told.back().message);
  ASSERT_TRUE(message);
  EXPECT_EQ((*message)["NewStateValue"].string_or(""), "ALARM");
  EXPECT_EQ((*message)["OldStateValue"].string_or(""), "OK");
  EXPECT_EQ((*message)["Trigger"]["Statistic"].string_or(""), "AVERAGE");
  EXPECT_EQ((*message)["Trigger"]["Dimensions"].dump(), R"([{"value":"a","name":"Api"}])");
  EXPECT_THAT(sink_.told.back().text,
              HasSubstr("See:       aws cloudwatch get-metric-statistics --namespace 'Test' --metric-name 'latency'"));
  EXPECT_THAT(sink_.told.back().text, HasSubstr("Value:     118.4"));
  minute(50);
  minute(50);
  EXPECT_EQ(state("a"), AlarmState::kOk);
  std::vector<std::string> summaries;
  for (const auto& item : alarms_->history({.alarm = "a", .kind = {}, .from = {}, .to = {}, .oldest_first = true})) {
    summaries.push_back(item.summary);
  }
  EXPECT_THAT(summaries, ElementsAre("Alarm \"a\" created", "Alarm updated from INSUFFICIENT_DATA to OK",
                                     "Successfully executed action " + kAlarmTopic, "Alarm updated from OK to ALARM",
                                     "Successfully executed action " + kAlarmTopic, "Alarm updated from ALARM to OK",
                                     "Successfully executed action " + kAlarmTopic));
}

TEST_F(AlarmsTest, AreLookedAtWhenAPeriodEndsOrDataCome) {
  put(definition("a"));
  EXPECT_EQ(alarms_->evaluate(), 1U);
  EXPECT_EQ(alarms_->evaluate(), 0U) << "nothing ended, nothing came";
  clock_.advance(1s);
  series_.put(kAlarmMetric, clock_.now() - 90s, 200);
  EXPECT_EQ(alarms_->evaluate(), 1U) << "late data are seen at once";
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  clock_.advance(58s);
  EXPECT_EQ(alarms_->evaluate(), 0U);
  clock_.advance(1s);
  EXPECT_EQ(alarms_->evaluate(), 1U);
}

TEST_F(AlarmsTest, SlideByMinutesAndNotByPeriods) {
  auto made = definition("a");
  std::get<MetricRule>(made.rule).metric->period = 300s;
  std::get<MetricRule>(made.rule).metric->stat = "Sum";
  put(made);
  for (int i = 0; i < 3; ++i) minute(40);
  EXPECT_EQ(state("a"), AlarmState::kAlarm) << "120 in the five minutes that ended three minutes after the first";
  for (int i = 0; i < 3; ++i) minute(std::nullopt);
  EXPECT_EQ(state("a"), AlarmState::kOk);
}

TEST_F(AlarmsTest, OfHighResolutionAreLookedAtEachTenSeconds) {
  auto made = definition("a");
  std::get<MetricRule>(made.rule).metric->period = 10s;
  put(made);
  alarms_->evaluate();
  series_.put(kAlarmMetric, clock_.now(), 200);
  clock_.advance(10s);
  alarms_->evaluate();
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
}

TEST_F(AlarmsTest, ComeBackAsTheyWereAfterACrash) {
  put(definition("a"));
  put(composite("c", "ALARM(a)"));
  minute(200);
  ASSERT_EQ(state("c"), AlarmState::kAlarm);
  sink_.failure = Error{Errc::kUnavailable, "no network"};
  minute(10);
  const auto before = alarms_->find("a");
  const auto history = alarms_->history({.kind = {}, .from = {}, .to = {}}).size();
  EXPECT_EQ(alarms_->counts().due_actions, 2U);
  // What a crash tears off is the end of a record.
  for (const auto& file : std::filesystem::directory_iterator(directory_)) {
    std::ofstream(file.path(), std::ios::app | std::ios::binary) << "\x40\x00\x00\x00torn";
  }
  sink_.failure.reset();
  told();
  reopen();
  EXPECT_EQ(alarms_->find("a")->definition, before->definition);
  EXPECT_EQ(alarms_->find("a")->status.reason, before->status.reason);
  EXPECT_EQ(alarms_->find("a")->status.transitioned, before->status.transitioned);
  EXPECT_EQ(state("c"), AlarmState::kOk);
  EXPECT_EQ(alarms_->history({.kind = {}, .from = {}, .to = {}}).size(), history);
  EXPECT_EQ(alarms_->deliver(), 2U) << "what was due is handed over after the restart";
  EXPECT_THAT(told(), SizeIs(2));
  EXPECT_EQ(alarms_->counts().due_actions, 0U);
  reopen();
  EXPECT_EQ(alarms_->deliver(), 0U) << "and only once";
}

TEST_F(AlarmsTest, KeepHistoryOverSegmentsAndForgetItAfterTwoWeeks) {
  put(definition("a"));
  minute(200);
  for (int day = 0; day < 3; ++day) {
    clock_.advance(25h);
    alarms_->evaluate();
  }
  reopen();
  const auto count = alarms_->history({.kind = {}, .from = {}, .to = {}}).size();
  EXPECT_GE(count, 3U);
  clock_.advance(24h * 13);
  alarms_->evaluate();
  reopen();
  EXPECT_LT(alarms_->history({.kind = {}, .from = {}, .to = {}}).size(), count);
  EXPECT_TRUE(alarms_->find("a"));
}

TEST_F(AlarmsTest, RecoverBehindTheirRecoveryThresholdOnly) {
  auto made = definition("a");
  made.tags["securebase:recovery-threshold"] = "80";
  put(made);
  minute(120);
  minute(90);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  minute(80);
  EXPECT_EQ(state("a"), AlarmState::kOk);
  minute(90);
  EXPECT_EQ(state("a"), AlarmState::kOk);
}

TEST_F(AlarmsTest, SetByHandHoldUntilTheNextEvaluation) {
  put(definition("a"));
  minute(1);
  told();
  ASSERT_TRUE(alarms_->set_state("a", AlarmState::kAlarm, "a drill", ""));
  alarms_->deliver();
  EXPECT_THAT(told(), SizeIs(1));
  EXPECT_EQ(alarms_->find("a")->status.reason, "a drill");
  alarms_->evaluate();
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
  minute(1);
  EXPECT_EQ(state("a"), AlarmState::kOk);
  EXPECT_EQ(alarms_->set_state("nope", AlarmState::kOk, "", "").error().code, Errc::kNotFound);
}

TEST_F(AlarmsTest, WatchExpressionsAndBands) {
  AlarmDefinition made = definition("rate");
  MetricRule rule;
  rule.metrics = {
      {.id = "m",
       .metric_stat = MetricStat{kAlarmMetric, 60s, "Average", {}},
       .expression = "",
       .label = "",
       .return_data = false,
       .period = {}},
      {.id = "e", .metric_stat = {}, .expression = "m / 2", .label = "", .return_data = true, .period = {}}};
  rule.threshold = 100;
  made.rule = rule;
  put(made);
  AlarmDefinition odd = definition("odd");
  rule.metrics = {{.id = "m",
                   .metric_stat = MetricStat{kAlarmMetric, 60s, "Average", {}},
                   .expression = "",
                   .label = "",
                   .return_data = true,
                   .period = {}},
                  {.id = "band",
                   .metric_stat = {},
                   .expression = "ANOMALY_DETECTION_BAND(m, 4)",
                   .label = "",
                   .return_data = true,
                   .period = {}}};
  rule.threshold.reset();
  rule.threshold_metric_id = "band";
  rule.comparison = Comparison::kLessThanLowerOrGreaterThanUpperThreshold;
  odd.rule = rule;
  put(odd);
  for (int i = 0; i < 70; ++i) minute(100 + i % 5);
  EXPECT_EQ(state("rate"), AlarmState::kOk);
  EXPECT_EQ(state("odd"), AlarmState::kOk);
  minute(180);
  EXPECT_EQ(state("rate"), AlarmState::kOk);
  EXPECT_EQ(state("odd"), AlarmState::kAlarm) << alarms_->find("odd")->status.reason;
  minute(220);
  EXPECT_EQ(state("rate"), AlarmState::kAlarm);
  EXPECT_THAT(alarms_->find("odd")->status.reason,
              HasSubstr("less than the lower thresholds or greater than the upper thresholds ["));
}

TEST_F(AlarmsTest, LeavePercentilesOfFewSamplesAlone) {
  auto made = definition("a");
  std::get<MetricRule>(made.rule).metric->stat = "p95";
  std::get<MetricRule>(made.rule).ignore_low_samples = true;
  put(made);
  minute(200);
  EXPECT_EQ(state("a"), AlarmState::kInsufficientData);
  for (int i = 0; i < 250; ++i) series_.put(kAlarmMetric, clock_.now() + std::chrono::milliseconds(i), 200);
  minute(200);
  EXPECT_EQ(state("a"), AlarmState::kAlarm);
}

TEST_F(AlarmsTest, BurnTheBudgetOfAnObjective) {
  const MetricId bad{"Test", "bad", {}}, all{"Test", "all", {}};
  AlarmDefinition made = definition("budget");
  MetricRule rule;
  rule.metrics = {
      {.id = "bad",
       .metric_stat = MetricStat{bad, 60s, "Sum", {}},
       .expression = "",
       .label = "",
       .return_data = false,
       .period = {}},
      {.id = "all",
       .metric_stat = MetricStat{all, 60s, "Sum", {}},
       .expression = "",
       .label = "",
       .return_data = false,
       .period = {}},
      {.id = "share", .metric_stat = {}, .expression = "bad / all", .label = "", .return_data = true, .period = {}}};
  rule.threshold = 0.0072;
  made.rule = rule;
  made.tags = {{"securebase:objective", "99.95"}, {"securebase:burn-rate", "14.4x 1h 5m / 6x 6h 30m"}};
  put(made);
  const auto minutes = [&](int count, double failures) {
    for (int i = 0; i < count; ++i) {
      series_.put(all, clock_.now(), 1000);
      if (failures > 0) series_.put(bad, clock_.now(), failures);
      clock_.advance(60s);
      alarms_->evaluate();
    }
  };
  minutes(360, 0);
  EXPECT_EQ(state("budget"), AlarmState::kOk);
  minutes(3, 100);
  EXPECT_EQ(state("budget"), AlarmState::kOk) << "10 % for 3 minutes is 0.5 % of the hour: 10x";
  minutes(3, 100);
  EXPECT_EQ(state("budget"), AlarmState::kAlarm) << "and 1 % of it is 20x";
  EXPECT_THAT(alarms_->find("budget")->status.reason, HasSubstr("objective 99.95 %"));
  minutes(6, 0);
  EXPECT_EQ(state("budget"), AlarmState::kOk) << "the short window ends it soon after the failures end";
  minutes(10, 30);
  EXPECT_EQ(state("budget"), AlarmState::kAlarm) << "3 % for 10 minutes: with the failures before, 1.5 % of the hour";
}

TEST_F(AlarmsTest, CanBeTriedOnThePast) {
  for (int i = 0; i < 60; ++i) {
    series_.put(kAlarmMetric, clock_.now(), i >= 20 && i < 30 ? 200 : 10);
    clock_.advance(60s);
  }
  const auto past = alarms_->backtest(definition("a"), clock_.now() - 1h, clock_.now());
  ASSERT_TRUE(past) << past.error().message;
  EXPECT_EQ(past->times_in_alarm, 1U);
  EXPECT_EQ(past->in_alarm, 10min);
  EXPECT_EQ(past->evaluations, 60U);
  EXPECT_EQ(past->notifications, 3U) << "OK at the beginning, ALARM, OK";
  ASSERT_THAT(past->changes, SizeIs(3));
  EXPECT_EQ(past->changes[1].time, clock_.now() - 39min);
  EXPECT_THAT(alarms_->list({}), IsEmpty()) << "nothing was saved";
  auto strict = definition("a", 15);
  EXPECT_EQ(alarms_->backtest(strict, clock_.now() - 1h, clock_.now())->times_in_alarm, 0U);
  EXPECT_EQ(alarms_->backtest(composite("c", "ALARM(a)"), clock_.now() - 1h, clock_.now()).error().code,
            Errc::kUnsupported);
}

TEST_F(AlarmsTest, OfTheStackArePutBackAndThoseOfTheApiStay) {
  AlarmsConfig config;
  config.alarms = {composite("c", "ALARM(stack)"), definition("stack")};
  ASSERT_TRUE(alarms_->apply(config));
  put(definition("mine"));
  EXPECT_THAT(alarms_->drift(), IsEmpty());
  auto changed = definition("stack");
  std::get<MetricRule>(changed.rule).threshold = 5;
  put(changed);
  const stack::Change::Attribute threshold{"threshold", 5.0, 100.0, false, "", false};
  EXPECT_THAT(alarms_->drift(),
              ElementsAre(stack::Drifted{"aws_cloudwatch_metric_alarm", "stack", false, {threshold}}));
  ASSERT_TRUE(alarms_->remove({"stack", "c"}));
  EXPECT_THAT(alarms_->drift(), ElementsAre(stack::Drifted{"aws_cloudwatch_composite_alarm", "c", true, {}},
                                            stack::Drifted{"aws_cloudwatch_metric_alarm", "stack", true, {}}));
  reopen();
  ASSERT_TRUE(alarms_->apply(config));
  EXPECT_THAT(alarms_->drift(), IsEmpty());
  EXPECT_TRUE(alarms_->find("mine"));
  config.alarms = {definition("stack")};
  ASSERT_TRUE(alarms_->apply(config));
  EXPECT_FALSE(alarms_->find("c"));
  EXPECT_TRUE(alarms_->find("mine"));
}

TEST_F(AlarmsTest, RefuseWhatMakesNoSense) {
  const auto problem = [&](const std::function<void(AlarmDefinition&, MetricRule&)>& change) {
    auto made = definition("a");
    auto rule = std::get<MetricRule>(made.rule);
    change(made, rule);
    made.rule = rule;
    const auto done = alarms_->put(made);
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(problem([](auto&, auto&) {}), "");
  EXPECT_THAT(problem([](auto&, auto& r) { r.metric->period = 45s; }), HasSubstr("Period must be"));
  EXPECT_THAT(problem([](auto&, auto& r) { r.evaluation_periods = 1441; }), HasSubstr("across more than a day"));
  EXPECT_THAT(problem([](auto&, auto& r) { r.datapoints_to_alarm = 2; }), HasSubstr("DatapointsToAlarm"));
  EXPECT_THAT(problem([](auto&, auto& r) { r.threshold.reset(); }), HasSubstr("either Threshold or"));
  EXPECT_THAT(problem([](auto& a, auto&) { a.alarm_actions = {"alerts"}; }), HasSubstr("Invalid arn syntax"));
  EXPECT_THAT(problem([](auto& a, auto&) { a.name = ""; }), HasSubstr("AlarmName"));
  const auto of_expression = [&](const char* expression) {
    return problem([&](auto&, auto& r) {
      r.metric.reset();
      r.metrics = {DataQuery{.id = "q1", .expression = expression}};
    });
  };
  EXPECT_THAT(of_expression("SELECT AVG(CPUUtilization) FROM \"AWS/EC2\""), HasSubstr("not done here"));
}

}  // namespace
}  // namespace securebase::monitoring
