// What a query does beside giving rows: it shows what there is so far, stops, ends in time, and stays within its
// memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "logs/insights/clusters.h"
#include "logs/insights/distinct.h"
#include "logs/insights/execution.h"
#include "logs/insights/find_text.h"
#include "logs/insights/memory_source.h"
#include "logs/insights/quantiles.h"
#include "logs/insights/regex.h"

namespace securebase::logs::insights {
namespace {

using testing::HasSubstr;

std::unique_ptr<Execution> execution_of(const Source& source, const char* text, const base::Clock& clock,
                                        Execution::Settings settings = {}) {
  const auto query = parse_query(text);
  check(query.has_value(), "a test's query parses");
  auto plan = make_plan(*query, {});
  check(plan.has_value(), "a test's query has a plan");
  settings.groups = {"g"};
  settings.end = base::TimePoint{std::chrono::hours{24 * 365 * 60}};
  return std::make_unique<Execution>(source, std::move(*plan), settings, clock);
}

MemorySource source_of_numbers(std::size_t count, std::size_t parts) {
  MemorySource source({.parts = parts, .batch_rows = 16});
  for (std::size_t i = 0; i < count; ++i) {
    source.add("g", base::Json::object({{"@timestamp", std::int64_t(i)}, {"n", std::int64_t(i)}}).dump());
  }
  return source;
}

// Every look at it is a second later, so that each turn is one batch.
class HurryingClock final : public base::Clock {
 public:
  base::TimePoint now() const override { return base::TimePoint{}; }
  base::SteadyPoint steady() const override { return base::SteadyPoint{std::chrono::seconds{++seconds_}}; }

 private:
  mutable std::atomic<int> seconds_{0};
};

TEST(InsightsExecution, ShowsWhatThereIsSoFar) {
  const auto source = source_of_numbers(160, 2);
  const HurryingClock clock;
  const auto execution = execution_of(source, "stats count(*) as n", clock);
  EXPECT_EQ(execution->status(), Status::kScheduled);
  ASSERT_TRUE(execution->work());  // scans
  ASSERT_TRUE(execution->work());  // a batch
  EXPECT_EQ(execution->status(), Status::kRunning);
  EXPECT_EQ(execution->results()->rows[0][0], "16");
  EXPECT_EQ(execution->statistics().records_scanned, 16u);
  EXPECT_EQ(execution->statistics().records_matched, 16u);
  EXPECT_EQ(execution->statistics().bytes_scanned, 1600u);
  while (execution->work()) {
  }
  EXPECT_EQ(execution->status(), Status::kComplete);
  EXPECT_EQ(execution->results()->rows[0][0], "160");
  EXPECT_EQ(execution->statistics().records_scanned, 160u);
}

TEST(InsightsExecution, CountsAsMatchedWhatPassesTheFilters) {
  const auto source = source_of_numbers(100, 3);
  const HurryingClock clock;
  const auto execution = execution_of(source, "filter n >= 90 | fields n | limit 3", clock);
  while (execution->work()) {
  }
  EXPECT_EQ(execution->statistics().records_matched, 10u);
  EXPECT_EQ(execution->results()->rows.size(), 3u);
}

TEST(InsightsExecution, Stops) {
  const auto source = source_of_numbers(100, 1);
  const HurryingClock clock;
  const auto execution = execution_of(source, "stats count(*) as n", clock);
  execution->work();
  execution->work();
  execution->cancel();
  EXPECT_EQ(execution->status(), Status::kCancelled);
  EXPECT_FALSE(execution->work());
  EXPECT_EQ(execution->results()->rows[0][0], "16") << "what it had found can still be seen";
}

TEST(InsightsExecution, EndsInTime) {
  const auto source = source_of_numbers(2000, 1);
  const HurryingClock clock;
  const auto execution = execution_of(source, "stats count(*)", clock, {.timeout = std::chrono::seconds{20}});
  while (execution->work()) {
  }
  EXPECT_EQ(execution->status(), Status::kTimeout);
}

TEST(InsightsExecution, StaysWithinItsMemory) {
  const auto source = source_of_numbers(12'000, 2);
  const auto execution =
      execution_of(source, "stats count(*), pct(n, 50) by n", base::system_clock(), {.memory_bytes = 1 << 20});
  while (execution->work()) {
  }
  EXPECT_EQ(execution->status(), Status::kFailed);
  EXPECT_THAT(execution->failure(), HasSubstr("more than 1 MiB"));
}

TEST(InsightsExecution, SaysWhyItFailed) {
  auto source = source_of_numbers(10, 1);
  source.fail_with("the disk is gone");
  const auto execution = execution_of(source, "stats count(*)", base::system_clock());
  while (execution->work()) {
  }
  EXPECT_EQ(execution->status(), Status::kFailed);
  EXPECT_EQ(execution->failure(), "the disk is gone");
}

TEST(InsightsExecution, GivesTheSameOnManyThreads) {
  const auto source = source_of_numbers(5000, 20);
  for (const char* query : {"stats count(*), sum(n), pct(n, 95), count_distinct(n), earliest(n) by n % 7 as k",
                            "fields n | sort n desc | limit 100", "fields n, n % 50 as k | dedup k"}) {
    std::vector<std::vector<std::optional<std::string>>> expected;
    for (const int threads : {1, 4}) {
      const auto execution = execution_of(source, query, base::system_clock());
      std::vector<std::thread> workers;
      for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
          while (!execution->finished()) execution->work();
        });
      }
      for (auto& worker : workers) worker.join();
      ASSERT_EQ(execution->status(), Status::kComplete) << execution->failure();
      if (threads == 1) expected = execution->results()->rows;
      EXPECT_EQ(execution->results()->rows, expected) << query;
    }
  }
}

TEST(InsightsQuantiles, AreWithinOnePercentOfTheTruthHoweverMerged) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> durations(3, 1.5);
  std::vector<double> all;
  Quantiles whole;
  std::vector<Quantiles> pieces(10);
  for (int i = 0; i < 20'000; ++i) {
    const double value = durations(random) * (i % 4 == 0 ? -1 : 1);
    all.push_back(value);
    whole.add(value);
    pieces[static_cast<std::size_t>(i % 10)].add(value);
  }
  std::sort(all.begin(), all.end());
  Quantiles merged;
  for (const auto& piece : pieces) merged.merge(piece);
  for (const double percent : {0.0, 1.0, 10.0, 24.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0}) {
    const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(percent / 100 * 20'000)));
    const double truth = all[rank - 1];
    EXPECT_NEAR(merged.percentile(percent), truth, std::abs(truth) * 0.01) << percent;
    EXPECT_EQ(merged.percentile(percent), whole.percentile(percent)) << percent;
  }
}

TEST(InsightsDistinct, IsExactWhileSmallAndNearAfterwards) {
  Distinct few;
  for (int i = 0; i < 10'000; ++i) few.add(Distinct::hash_of(Cell::of(static_cast<double>(i % 3000))));
  EXPECT_EQ(few.count(), 3000);
  Distinct halves[2];
  for (int i = 0; i < 100'000; ++i) halves[i % 2].add(Distinct::hash_of(Cell::of("user" + std::to_string(i))));
  halves[0].merge(halves[1]);
  EXPECT_NEAR(halves[0].count(), 100'000, 3000);
  few.merge(few);
  EXPECT_EQ(few.count(), 3000);
}

TEST(InsightsText, FindsWhatStdFinds) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string haystack(random() % 120, ' ');
    for (char& c : haystack) c = static_cast<char>('a' + random() % 3);
    std::string needle(random() % 6, ' ');
    for (char& c : needle) c = static_cast<char>('a' + random() % 3);
    ASSERT_EQ(TextFinder(needle).find(haystack), haystack.find(needle)) << haystack << " " << needle;
  }
}

TEST(InsightsText, KnowsWhatARegularExpressionRequires) {
  EXPECT_EQ(required_text("status=5\\d\\d"), "status=5");
  EXPECT_EQ(required_text("a|b"), "");
  EXPECT_EQ(required_text("(?i)error"), "");
  EXPECT_EQ(required_text("(a|b)long text(c)"), "long text");
  EXPECT_EQ(required_text("abc*de"), "ab");
  EXPECT_EQ(required_text("abc{0,2}defg"), "defg");
  EXPECT_EQ(required_text("x[^]abc]yz\\.com"), "yz.com");
  EXPECT_EQ(required_text("(?<n>abc)"), "");
  EXPECT_EQ(required_text("\\pLabc"), "");
}

TEST(InsightsClusters, MasksWhatVaries) {
  const auto masked = [](std::string_view line) {
    std::string text;
    mask_variables(line, text);
    return text;
  };
  EXPECT_EQ(masked("took 12.5 ms"), "took <*> ms");
  EXPECT_EQ(masked("2026-11-27T02:00:00.123Z GET /api/v1/users/42?x=7."), "<*> GET /api/<*>/users/<*>?x=<*>.");
  EXPECT_EQ(masked("{\"id\":\"3f2a-11\",\"name\":\"ann\"}"), "{\"id\":\"<*>\",\"name\":\"ann\"}");
}

TEST(InsightsClusters, AreBounded) {
  Clusters clusters({.clusters = 10, .known_lines = 20, .line_bytes = 100});
  for (int i = 0; i < 500; ++i) {
    std::string word;
    for (int n = i; n > 0; n /= 7) word += static_cast<char>('a' + n % 7);
    clusters.add(word + "x is one of many");
  }
  EXPECT_LE(clusters.patterns().size(), 11u);
  EXPECT_EQ(clusters.total(), 500u);
}

}  // namespace
}  // namespace securebase::logs::insights
