#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitoring/fake_series.h"
#include "monitoring/math/label.h"
#include "monitoring/math/program.h"
#include "monitoring/math/search.h"

namespace securebase::monitoring::math {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr double kGap = -1e300;
const base::TimePoint kStart{1'700'000'040s};  // a whole minute; Tuesday 2023-11-14 22:14

class Math : public ::testing::Test {
 protected:
  void put(const std::string& id, std::vector<double> values) {
    const MetricId metric{"Test", id, {{"Id", id}}};
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != kGap) series_.put(metric, kStart + static_cast<int>(i) * 60s, values[i]);
    }
    DataQuery query;
    query.id = id;
    query.metric_stat = MetricStat{metric, 60s, "Average", std::nullopt};
    queries_.push_back(query);
    periods_ = std::max(periods_, values.size());
  }
  Result<Value> run(const std::string& expression, Use use = Use::kGraph) {
    auto queries = queries_;
    queries.push_back({.id = "result", .metric_stat = {}, .expression = expression, .label = "", .period = {}});
    auto program = Program::compile(std::move(queries), use);
    if (!program) return program.error();
    return program->run(queries_.size(), series_, {.from = kStart, .to = kStart + static_cast<int>(periods_) * 60s},
                        bands_);
  }
  std::vector<double> dense(const TimeSeries& series) const {
    std::vector<double> values(periods_, kGap);
    for (const auto& datum : series.data) values[static_cast<std::size_t>((datum.time - kStart) / 60s)] = datum.value;
    return values;
  }
  std::vector<double> values(const std::string& expression) {
    auto value = run(expression);
    EXPECT_TRUE(value) << value.error().message;
    if (!value || type_of(*value) != Type::kSeries) return {};
    return dense(std::get<TimeSeries>(*value));
  }
  double number(const std::string& expression) {
    auto value = run(expression);
    EXPECT_TRUE(value) << value.error().message;
    return value && type_of(*value) == Type::kScalar ? std::get<double>(*value) : kGap;
  }
  std::string problem(const std::string& expression, Use use = Use::kGraph) {
    auto value = run(expression, use);
    return value ? "" : value.error().message;
  }
  using V = std::vector<double>;

  FakeSeries series_;
  Bands bands_;
  std::vector<DataQuery> queries_;
  std::size_t periods_ = 0;
};

TEST_F(Math, ComputesPointByPointAndCountsTheMissingAsZero) {
  put("a", {1, 2, kGap, 4});
  put("b", {10, kGap, 30, 0});
  EXPECT_EQ(values("a + b"), (V{11, 2, 30, 4}));
  EXPECT_EQ(values("a - b * 2"), (V{-19, 2, -60, 4}));
  EXPECT_EQ(values("a / b"), (V{0.1, kGap, 0, kGap})) << "a division by zero, or by what is missing, is dropped";
  EXPECT_EQ(values("2 ^ a"), (V{2, 4, kGap, 16}));
  EXPECT_EQ(values("-a ^ 2"), (V{-1, -4, kGap, -16}));
  EXPECT_EQ(values("a >= 2 AND b > 0"), (V{0, 0, 0, 0}));
  EXPECT_EQ(values("a >= 2 || b > 0"), (V{1, 1, 1, 1}));
  EXPECT_EQ(values("a == 2"), (V{0, 1, kGap, 0}));
}

TEST_F(Math, BindsAsExpected) {
  EXPECT_EQ(number("1 + 2 * 3 ^ 2"), 19);
  EXPECT_EQ(number("2 ^ 3 ^ 2"), 512);
  EXPECT_EQ(number("(1 + 2) * -3"), -9);
  EXPECT_EQ(number("10 - 4 - 3"), 3);
  EXPECT_EQ(number("1 < 2 == 1"), 1);
  EXPECT_EQ(number("0 AND 0 OR 1"), 1);
  EXPECT_EQ(number("1.5e2 - -0.5"), 150.5);
}

TEST_F(Math, IfGivesThePublishedExample) {
  put("m1", {1, 1, 0, 0, kGap});
  put("m2", {30, kGap, 0, 0, 30});
  put("m3", {0, 0, 20, kGap, 20});
  EXPECT_EQ(values("IF(m1, m2, m3)"), (V{30, 0, 20, kGap, kGap}));
  EXPECT_EQ(values("IF(m1, 5, m3)"), (V{5, 5, 20, kGap, kGap}));
  EXPECT_EQ(values("IF(m1, m2)"), (V{30, 0, kGap, kGap, kGap}));
  EXPECT_EQ(values("IF(2 > 1, m2, m3)"), (V{30, kGap, 0, 0, 30}));
}

TEST_F(Math, AggregatesSeriesToNumbersAndArraysToSeries) {
  put("a", {2, 4, 4, 4, 5, 5, 7, 9});
  put("b", {1, kGap, 1});
  EXPECT_EQ(number("AVG(a)"), 5);
  EXPECT_EQ(number("STDDEV(a)"), 2);
  EXPECT_EQ(number("MAX(a) - MIN(a)"), 7);
  EXPECT_EQ(number("SUM(b)"), 2);
  EXPECT_EQ(number("DATAPOINT_COUNT(b)"), 2);
  EXPECT_EQ(values("SUM([a, b])"), (V{3, 4, 5, 4, 5, 5, 7, 9}));
  EXPECT_EQ(values("AVG(METRICS())"), (V{1.5, 4, 2.5, 4, 5, 5, 7, 9}));
  EXPECT_EQ(values("DATAPOINT_COUNT([a,b])"), (V{2, 1, 2, 1, 1, 1, 1, 1}));
  EXPECT_EQ(number("METRIC_COUNT(METRICS('b'))"), 1);
}

TEST_F(Math, ComparesNeighbours) {
  put("a", {10, 40, kGap, 100});
  EXPECT_EQ(values("DIFF(a)"), (V{kGap, 30, kGap, 60}));
  EXPECT_EQ(values("DIFF_TIME(a)"), (V{kGap, 60, kGap, 120}));
  EXPECT_EQ(values("RATE(a)"), (V{kGap, 0.5, kGap, 0.5}));
  EXPECT_EQ(values("RUNNING_SUM(a)"), (V{10, 50, kGap, 150}));
}

TEST_F(Math, Fills) {
  put("a", {kGap, 10, kGap, kGap, 40, kGap});
  put("c", {7, 7, 7, 7, 7, 7});
  EXPECT_EQ(values("FILL(a, 0)"), (V{0, 10, 0, 0, 40, 0}));
  EXPECT_EQ(values("FILL(a, REPEAT)"), (V{kGap, 10, 10, 10, 40, 40}));
  EXPECT_EQ(values("FILL(a, LINEAR)"), (V{kGap, 10, 20, 30, 40, kGap}));
  EXPECT_EQ(values("FILL(a, c)"), (V{7, 10, 7, 7, 40, 7}));
  EXPECT_EQ(values("TIME_SERIES(3)"), (V{3, 3, 3, 3, 3, 3}));
}

TEST_F(Math, KnowsTheTime) {
  put("a", {1, 1});
  EXPECT_EQ(values("MINUTE(a)"), (V{14, 15}));
  EXPECT_EQ(values("HOUR(a)"), (V{22, 22}));
  EXPECT_EQ(values("DAY(a)"), (V{2, 2}));
  EXPECT_EQ(values("DATE(a)"), (V{14, 14}));
  EXPECT_EQ(values("MONTH(a)"), (V{11, 11}));
  EXPECT_EQ(values("YEAR(a)"), (V{2023, 2023}));
  EXPECT_EQ(values("EPOCH(a)"), (V{1'700'000'040, 1'700'000'100}));
  EXPECT_EQ(number("PERIOD(a)"), 60);
}

TEST_F(Math, MapsAndLeavesOutWhatIsNoNumber) {
  put("a", {-1.5, 0, 100});
  EXPECT_EQ(values("ABS(a)"), (V{1.5, 0, 100}));
  EXPECT_EQ(values("CEIL(a)"), (V{-1, 0, 100}));
  EXPECT_EQ(values("FLOOR(a)"), (V{-2, 0, 100}));
  EXPECT_EQ(values("LOG10(a)"), (V{kGap, kGap, 2}));
  EXPECT_NEAR(number("LOG(2.718281828459045)"), 1, 1e-12);
}

TEST_F(Math, SortsAndSlices) {
  put("a", {1, 1});
  put("b", {9, 9});
  put("c", {5, kGap});
  EXPECT_EQ(values("FIRST(SORT(METRICS(), AVG, DESC))"), (V{9, 9}));
  EXPECT_EQ(values("LAST(SORT(METRICS(), SUM, ASC, 2))"), (V{5, kGap}));
  EXPECT_EQ(values("SLICE(METRICS(), 1)"), (V{9, 9}));
  EXPECT_EQ(number("METRIC_COUNT(SLICE(METRICS(), 1, 3))"), 2);
  EXPECT_EQ(number("METRIC_COUNT(REMOVE_EMPTY([a, IF(b > 100, b)]))"), 1);
  EXPECT_EQ(values("SUM(METRICS() * 2)"), (V{30, 20}));
}

TEST_F(Math, SaysWhereAnExpressionStopsMakingSense) {
  put("a", {1});
  EXPECT_EQ(problem("a + "), "Error in expression 'result': position 4: expected a value, got the end");
  EXPECT_EQ(problem("a @ 2"), "Error in expression 'result': position 2: the character '@' has no meaning here");
  EXPECT_THAT(problem("a + nope"), HasSubstr("position 4: there is no query with the id \"nope\""));
  EXPECT_THAT(problem("AVG(a, a)"), HasSubstr("position 0: AVG takes 1 argument, got 2"));
  EXPECT_THAT(problem("AVG(1)"), HasSubstr("argument 1 of AVG is a number; expected a time series or an array"));
  EXPECT_THAT(problem("WRONG(a)"), HasSubstr("there is no function \"WRONG\""));
  EXPECT_THAT(problem("METRICS() + METRICS()"), HasSubstr("two arrays"));
  EXPECT_THAT(problem("result + 1"), HasSubstr("it depends on itself"));
  EXPECT_THAT(problem(std::string(3000, '1')), HasSubstr("at most 2048"));
  EXPECT_THAT(problem(std::string(200, '(') + "1"), HasSubstr("nested deeper"));
  EXPECT_THAT(problem("INSIGHT_RULE_METRIC('r', 'UniqueContributors')"),
              HasSubstr("INSIGHT_RULE_METRIC is not supported"));
  EXPECT_THAT(problem("SERVICE_QUOTA(a)"), HasSubstr("SERVICE_QUOTA is not supported"));
  EXPECT_THAT(problem("SEARCH('a', 'Sum')", Use::kAlarm), HasSubstr("not allowed in an alarm"));
  EXPECT_THAT(problem("SORT(METRICS(), MEDIAN, ASC)"), HasSubstr("one of AVG, MIN, MAX, SUM"));
}

TEST_F(Math, DoesNotGrowWithoutEnd) {
  put("a", {1, 2, 3});
  std::string many = "[a";
  for (int i = 0; i < 200; ++i) many += ",a";
  many += "]";
  queries_.push_back({.id = "e1", .metric_stat = {}, .expression = many, .label = "", .period = {}});
  std::string more = "[e1";
  for (int i = 0; i < 200; ++i) more += ",e1";
  more += "]";
  queries_.push_back({.id = "e2", .metric_stat = {}, .expression = more, .label = "", .period = {}});
  EXPECT_THAT(problem("METRIC_COUNT([e2, e2, e2, e2, e2, e2, e2, e2, e2, e2])"), HasSubstr("more than 1000000 points"));
}

TEST(SearchLanguage, FindsTokensExactTextAndSchemas) {
  const MetricId errors{"AWS/Lambda", "Errors", {{"FunctionName", "securebase-prod-checkoutApi2"}}};
  const auto finds = [&](std::string_view text) {
    auto search = Search::parse(text);
    EXPECT_TRUE(search) << text << ": " << search.error().message;
    return search && search->finds(errors);
  };
  EXPECT_TRUE(finds("{AWS/Lambda,FunctionName} MetricName=\"Errors\""));
  EXPECT_FALSE(finds("{AWS/Lambda} MetricName=\"Errors\"")) << "the dimensions are exactly those";
  EXPECT_TRUE(finds("{AWS/Lambda, \"FunctionName\"}"));
  EXPECT_FALSE(finds("MetricName=\"errors\"")) << "exact text has its case";
  EXPECT_TRUE(finds("errors"));
  EXPECT_TRUE(finds("checkout"));
  EXPECT_TRUE(finds("prod-checkout"));
  EXPECT_TRUE(finds("checkoutapi2"));
  EXPECT_FALSE(finds("securebase-checkout")) << "tokens stand one after the other";
  EXPECT_TRUE(finds("FunctionName=prod"));
  EXPECT_FALSE(finds("MetricName=prod"));
  EXPECT_TRUE(finds("Errors NOT canary"));
  EXPECT_TRUE(finds("(Throttles OR Errors) AND lambda"));
  EXPECT_FALSE(finds("Throttles OR Duration"));
  for (const char* bad : {"", "{", "{}", "{N", "a OR", "NOT", "(a", "a = ", "\"a", "---"})
    EXPECT_FALSE(Search::parse(bad)) << bad;
  EXPECT_EQ(search_tokens("HTTPServer2xx-eu"), (std::vector<std::string>{"http", "server", "2", "xx", "eu"}));
}

TEST_F(Math, SearchGivesASeriesForEachMetricThatIsFound) {
  put("a", {1, 2});
  put("b", {10, 20});
  EXPECT_EQ(values("SUM(SEARCH('{Test,Id}', 'Average', 60))"), (V{11, 22}));
  auto found = run("SEARCH('{Test,Id} MetricName=\"b\"', 'Sum', 60)");
  ASSERT_TRUE(found);
  ASSERT_EQ(std::get<Array>(*found).size(), 1U);
  EXPECT_EQ(std::get<Array>(*found)[0].label, "b");
}

TEST_F(Math, ABandKnowsTheHourOfTheWeekAndIsNotMovedByOutliers) {
  const MetricId metric{"Test", "m", {}};
  // Two weeks: 100 by day, 10 by night, a little noise, and now and then a wild value.
  const base::TimePoint end = std::chrono::floor<std::chrono::days>(kStart) + 14h;
  for (auto time = end - 24h * 14; time < end; time += 5min) {
    const auto hour = std::chrono::floor<std::chrono::hours>(time.time_since_epoch()).count() % 24;
    const auto step = time.time_since_epoch() / 5min;
    const double noise = static_cast<double>(step * 7 % 11) - 5;
    series_.put(metric, time, step % 97 == 0 ? 5000 : (hour >= 8 && hour < 20 ? 100 : 10) + noise);
  }
  std::vector<DataQuery> queries(2);
  queries[0].id = "m";
  queries[0].metric_stat = MetricStat{metric, 300s, "Average", std::nullopt};
  queries[1].id = "band";
  queries[1].expression = "ANOMALY_DETECTION_BAND(m, 3)";
  auto program = Program::compile(queries, Use::kAlarm);
  ASSERT_TRUE(program);
  const auto band_at = [&](base::TimePoint from) {
    auto value = program->run(1, series_, {.from = from, .to = from + 5min}, bands_);
    EXPECT_TRUE(value);
    const auto& array = std::get<Array>(*value);
    return std::pair(array[0].data.at(0).value, array[1].data.at(0).value);
  };
  const auto [day_low, day_high] = band_at(end - 2h);
  EXPECT_GT(day_low, 70);
  EXPECT_LT(day_low, 95);
  EXPECT_GT(day_high, 105);
  EXPECT_LT(day_high, 130);
  const auto [night_low, night_high] = band_at(end - 12h);
  EXPECT_GT(night_high, 12);
  EXPECT_LT(night_high, 40);
  EXPECT_LT(night_low, 10);
}

TEST_F(Math, ABandWorksAfterAnHourOfDataAndNotBefore) {
  const MetricId metric{"Test", "m", {}};
  std::vector<DataQuery> queries(2);
  queries[0].id = "m";
  queries[0].metric_stat = MetricStat{metric, 60s, "Average", std::nullopt};
  queries[1].id = "band";
  queries[1].expression = "ANOMALY_DETECTION_BAND(m)";
  auto program = Program::compile(queries, Use::kGraph);
  ASSERT_TRUE(program);
  const auto points = [&](std::chrono::minutes after) {
    auto value = program->run(1, series_, {.from = kStart + after - 5min, .to = kStart + after}, bands_);
    return value ? std::get<Array>(*value)[0].data.size() : 99;
  };
  for (int i = 0; i < 30; ++i) series_.put(metric, kStart + i * 60s, 10 + i % 3);
  EXPECT_EQ(points(30min), 0U);
  for (int i = 30; i < 60; ++i) series_.put(metric, kStart + i * 60s, 10 + i % 3);
  EXPECT_EQ(points(60min), 5U);
}

TEST(Labels, HaveTheirDynamicParts) {
  TimeSeries series{"x", 60s, {{kStart, 2}, {kStart + 60s, 8}, {kStart + 120s, 5}}};
  const std::optional<MetricStat> metric =
      MetricStat{{"AWS/Lambda", "Errors", {{"FunctionName", "f"}}}, 60s, "Sum", {}};
  const LabelContext context{"eu-central-1", "123456789012", 60min, kStart + 65min};
  const auto render = [&](std::string_view label) { return render_label(label, "mine", series, metric, context); };
  EXPECT_EQ(render("${LABEL} max ${MAX} at ${MAX_TIME}"), "mine max 8 at 2023-11-14 23:15:00");
  EXPECT_EQ(render("${AVG} ${SUM} ${LAST} ${DATAPOINT_COUNT}"), "5 15 5 3");
  EXPECT_EQ(render("${MIN_MAX_RANGE}"), "2 - 8");
  EXPECT_EQ(render("${FIRST_TIME_RELATIVE}"), "1h 5m ago");
  EXPECT_EQ(render("${PROP('Dim.FunctionName')} ${PROP('Stat')} ${PROP('Region')}"), "f Sum eu-central-1");
  EXPECT_EQ(render("${NOPE} ${"), "${NOPE} ${");
  EXPECT_EQ(parse_timezone("-0130"), -90min);
  EXPECT_EQ(parse_timezone("0130"), std::nullopt);
}

}  // namespace
}  // namespace securebase::monitoring::math
