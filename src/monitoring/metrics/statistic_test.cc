#include "monitoring/metrics/statistic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace securebase::monitoring {
namespace {

Accumulator accumulated(const std::vector<double>& samples) {
  Summary summary;
  for (const double sample : samples) summary.add(sample);
  Accumulator accumulator;
  accumulator.add(summary);
  return accumulator;
}

double value_of(const char* statistic, const std::vector<double>& samples) {
  const auto parsed = parse_statistic(statistic);
  EXPECT_TRUE(parsed) << statistic;
  return evaluate(*parsed, accumulated(samples)).value_or(NAN);
}

std::vector<double> one_to(int last) {
  std::vector<double> samples(static_cast<std::size_t>(last));
  std::iota(samples.begin(), samples.end(), 1.0);
  return samples;
}

TEST(Statistic, ReadsEveryFormAndNamesWhatIsNone) {
  for (const char* good : {"SampleCount", "Sum",      "Average",        "Minimum",  "Maximum", "p0",
                           "p50",         "p99.9",    "p99.9999999999", "p100",     "tm90",    "TM(10%:90%)",
                           "TM(:80%)",    "TM(10%:)", "TM(150:1000)",   "TM(-5:5)", "wm98.5",  "WM(80:)",
                           "IQM",         "PR(:300)", "PR(100:2000)",   "PR(0.1:)", "tc90",    "TC(0.005:0.030)",
                           "ts80",        "TS(80%:)"}) {
    EXPECT_TRUE(parse_statistic(good)) << good;
  }
  for (const char* bad : {"",           "average",      "p",           "p101",        "p-1",         "p99.99999999999",
                          "p1e2",       "p 50",         "P95",         "TM90",        "tm",          "tm(10%:90%)",
                          "TM(:)",      "TM()",         "TM(10%)",     "TM(90%:10%)", "TM(10%:10%)", "TM(10%:90)",
                          "TM(10%:90%", "TM(10%:101%)", "PR(10%:90%)", "PR300",       "pr(:300)",    "IQM90",
                          "TS(a:b)",    "TM(10%:90%)x", "p.5",         "p5.",         "TM(1:2:3)"}) {
    const auto parsed = parse_statistic(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Errc::kMalformed);
    EXPECT_NE(parsed.error().message.find("\"" + std::string(bad) + "\""), std::string::npos) << parsed.error().message;
  }
  EXPECT_FALSE(parse_statistic(std::string(1000, '9')));
}

TEST(Statistic, PlainOnesAreExact) {
  const std::vector<double> samples{0.1, 0.2, 1e9, -3};
  EXPECT_EQ(value_of("SampleCount", samples), 4);
  EXPECT_EQ(value_of("Sum", samples), 0.1 + 0.2 + 1e9 - 3);
  EXPECT_EQ(value_of("Average", samples), (0.1 + 0.2 + 1e9 - 3) / 4);
  EXPECT_EQ(value_of("Minimum", samples), -3);
  EXPECT_EQ(value_of("Maximum", samples), 1e9);
  EXPECT_EQ(value_of("p0", samples), -3);
  EXPECT_EQ(value_of("p100", samples), 1e9);
}

TEST(Statistic, RangesLeaveTheLowerEdgeOutAndTakeTheUpperOneIn) {
  const auto hundred = one_to(100);
  EXPECT_EQ(value_of("PR(:30)", hundred), 30);
  EXPECT_EQ(value_of("PR(30:)", hundred), 70);
  EXPECT_EQ(value_of("PR(30:40)", hundred), 10);
  EXPECT_EQ(value_of("TC(30:40)", hundred), 10);
  EXPECT_EQ(value_of("PR(:100)", hundred), 100);
  EXPECT_EQ(value_of("PR(:1000)", hundred), 100);
  EXPECT_EQ(value_of("PR(0:)", hundred), 100);
  EXPECT_EQ(value_of("PR(1:)", hundred), 99);
  EXPECT_EQ(value_of("PR(100:)", hundred), 0);
  EXPECT_TRUE(std::isnan(value_of("TM(100:200)", hundred)));  // no sample: no mean
  EXPECT_EQ(value_of("TC(100:200)", hundred), 0);
  EXPECT_EQ(value_of("TS(100:200)", hundred), 0);
}

TEST(Statistic, RanksCountSamplesAtTheEdgesInPart) {
  const std::vector<double> five{1, 2, 3, 4, 5};
  EXPECT_EQ(value_of("TC(10%:90%)", five), 4);
  EXPECT_NEAR(value_of("TM(10%:90%)", five), (0.5 * 1 + 2 + 3 + 4 + 0.5 * 5) / 4, 0.03);
  EXPECT_NEAR(value_of("ts80", five), 10, 0.1);
  EXPECT_NEAR(value_of("wm80", five), (1 + 2 + 3 + 4 + 4) / 5.0, 0.03);
  EXPECT_NEAR(value_of("IQM", one_to(8)), (3 + 4 + 5 + 6) / 4.0, 0.05);
  EXPECT_EQ(value_of("TM(0%:100%)", five), 3);
}

// By the definitions, sample by sample.
double oracle(const Statistic& statistic, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto n = static_cast<double>(samples.size());
  if (statistic.kind == Statistic::Kind::kPercentile) {
    const auto rank = static_cast<std::size_t>(std::ceil(*statistic.upper / 100 * n - 1e-9));
    return samples[rank == 0 ? 0 : rank - 1];
  }
  double inside = 0;
  double sum = 0;
  double below = 0;
  double above = 0;
  double first = NAN;
  double last = NAN;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double share = 0;
    if (statistic.by_rank) {
      const double from = statistic.lower.value_or(0) / 100 * n;
      const double to = statistic.upper.value_or(100) / 100 * n;
      const auto at = static_cast<double>(i);
      share = std::max(0.0, std::min(at + 1, to) - std::max(at, from));
      below += std::clamp(from - at, 0.0, 1.0);
      above += std::clamp(at + 1 - to, 0.0, 1.0);
    } else {
      const bool low = statistic.lower && samples[i] <= *statistic.lower;
      const bool high = statistic.upper && samples[i] > *statistic.upper;
      share = !low && !high;
      below += low;
      above += high;
    }
    if (share > 0 && std::isnan(first)) first = samples[i];
    if (share > 0) last = samples[i];
    inside += share;
    sum += share * samples[i];
  }
  switch (statistic.kind) {
    case Statistic::Kind::kTrimmedMean:
      return sum / inside;
    case Statistic::Kind::kWinsorizedMean: {
      const double low = statistic.by_rank ? first : statistic.lower.value_or(0);
      const double high = statistic.by_rank ? last : statistic.upper.value_or(0);
      return (sum + (below > 0 ? below * low : 0) + (above > 0 ? above * high : 0)) / n;
    }
    case Statistic::Kind::kPercentileRank:
      return 100 * inside / n;
    case Statistic::Kind::kTrimmedCount:
      return inside;
    case Statistic::Kind::kTrimmedSum:
      return sum;
    default:
      return NAN;
  }
}

TEST(Statistic, AgreesWithTheDefinitionsOnRandomSamples) {
  std::mt19937_64 random(11);
  const std::vector<std::string> ranks{"p1",         "p25",         "p50",         "p90",       "p95",          "p99.9",
                                       "tm90",       "TM(10%:90%)", "IQM",         "TM(:3.5%)", "TM(60%:)",     "wm95",
                                       "WM(5%:80%)", "tc99",        "TC(20%:50%)", "ts50",      "TS(10%:99.9%)"};
  for (int round = 0; round < 200; ++round) {
    std::vector<double> samples;
    const int size = 1 + static_cast<int>(random() % (round % 3 == 0 ? 5 : 3000));
    std::lognormal_distribution<double> tail(round % 7, 1 + round % 3 * 0.5);
    const double sign = round % 5 == 4 ? -1 : 1;
    for (int i = 0; i < size; ++i) samples.push_back(sign * tail(random));
    const auto accumulator = accumulated(samples);
    for (const auto& name : ranks) {
      const auto statistic = parse_statistic(name);
      ASSERT_TRUE(statistic) << name;
      const double truth = oracle(*statistic, samples);
      const auto value = evaluate(*statistic, accumulator);
      ASSERT_TRUE(value) << name;
      EXPECT_NEAR(*value, truth, std::abs(truth) * 0.008 + 1e-12)
          << name << " of " << size << " samples, round " << round;
    }
    // Values at an edge's bucket may fall to the wrong side: as many as lie within 1.6 % of it.
    std::uniform_int_distribution<std::size_t> pick(0, samples.size() - 1);
    double low = samples[pick(random)];
    double high = samples[pick(random)];
    if (low > high) std::swap(low, high);
    if (low == high) continue;
    const auto near = [&](double edge) {
      return static_cast<double>(std::count_if(samples.begin(), samples.end(), [&](double sample) {
        return std::abs(sample - edge) <= std::abs(edge) * 0.016;
      }));
    };
    const Statistic count{Statistic::Kind::kTrimmedCount, false, low, high};
    EXPECT_NEAR(*evaluate(count, accumulator), oracle(count, samples), near(low) + near(high));
    const Statistic rank{Statistic::Kind::kPercentileRank, false, std::nullopt, high};
    EXPECT_NEAR(*evaluate(rank, accumulator), oracle(rank, samples), 100 * near(high) / size);
  }
}

TEST(Statistic, WholeNumbersBelow128AreToldApart) {
  std::mt19937_64 random(3);
  std::vector<double> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back(static_cast<double>(random() % 128));
  for (int low = -1; low < 127; low += 9) {
    for (int high = low + 1; high < 130; high += 13) {
      for (const auto kind : {Statistic::Kind::kTrimmedCount, Statistic::Kind::kPercentileRank}) {
        const Statistic statistic{kind, false, low, high};
        EXPECT_EQ(*evaluate(statistic, accumulated(samples)), oracle(statistic, samples)) << low << ":" << high;
      }
    }
  }
}

TEST(Statistic, AStatisticSetGivesNoDistributionUnlessItsValuesAreKnown) {
  Accumulator samples;
  samples.add(Summary::of_set(10, 55, 1, 10));
  EXPECT_EQ(evaluate(*parse_statistic("Average"), samples), 5.5);
  for (const char* refused : {"p95", "tm90", "TM(1:2)", "PR(:3)", "IQM", "tc10"}) {
    EXPECT_FALSE(evaluate(*parse_statistic(refused), samples)) << refused;
  }
  samples.clear();
  samples.add(Summary::of_set(1, 7.5, 7.5, 7.5));
  samples.add(Summary::of_set(9, 67.5, 7.5, 7.5));
  EXPECT_EQ(evaluate(*parse_statistic("p95"), samples), 7.5);
  // One set among known samples: the period's distribution is not known.
  samples.add(Summary::of_set(2, 3, 1, 2));
  EXPECT_FALSE(evaluate(*parse_statistic("p95"), samples));
  EXPECT_EQ(evaluate(*parse_statistic("SampleCount"), samples), 12);
}

}  // namespace
}  // namespace securebase::monitoring
