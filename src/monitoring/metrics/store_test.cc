#include "monitoring/metrics/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/log.h"
#include "monitoring/metrics/test_directory.h"

namespace securebase::monitoring {
namespace {

using namespace std::chrono_literals;
using base::TimePoint;

const MetricId kLatency{"AWS/ApiGateway", "Latency", {{"ApiName", "securebase-api"}}};

std::unique_ptr<Store> open_store(const TestDirectory& directory, const base::Clock& clock,
                                  std::size_t limit = 10'000) {
  auto store = Store::open({.directory = directory.path(), .series_limit = limit, .threads = false}, clock);
  EXPECT_TRUE(store) << store.error().message;
  return std::move(*store);
}

Datum datum(const MetricId& metric, TimePoint time, double value, Resolution resolution = Resolution::kMinute) {
  Summary samples;
  samples.add(value);
  return {metric, 3, resolution, time, samples};
}

void put(Store& store, const Datum& datum) {
  const auto done = store.put({&datum, 1});
  ASSERT_TRUE(done) << done.error().message;
}

std::vector<Point> read(const Store& store, const char* statistic, std::chrono::seconds period, TimePoint from,
                        TimePoint to, const MetricId& metric = kLatency) {
  MetricQuery query{.metric = metric, .statistic = statistic, .period = period, .from = from, .to = to};
  auto points = store.read(query);
  EXPECT_TRUE(points) << points.error().message;
  return points ? *points : std::vector<Point>{};
}

TimePoint at(std::int64_t seconds) { return TimePoint{std::chrono::seconds{seconds}}; }

constexpr std::int64_t kStart = 1'700'006'400;  // a multiple of a day
TEST(Store, GivesPeriodsAlignedToTheEpoch) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart + 7200));
  const auto store = open_store(directory, clock);
  for (int minute = 0; minute < 60; ++minute) put(*store, datum(kLatency, at(kStart + minute * 60 + 7), minute));
  const auto hour = read(*store, "Sum", 300s, at(kStart), at(kStart + 3600));
  ASSERT_EQ(hour.size(), 12u);
  EXPECT_EQ(hour[1], (Point{at(kStart + 300), 5 + 6 + 7 + 8 + 9, 5}));
  // A period counts when it starts in [from, to), whole.
  const auto part = read(*store, "Sum", 300s, at(kStart + 1), at(kStart + 601));
  ASSERT_EQ(part.size(), 2u);
  EXPECT_EQ(part[0].start, at(kStart + 300));
  EXPECT_EQ(part[1], (Point{at(kStart + 600), 10 + 11 + 12 + 13 + 14, 5}));
  // Other phases, as alarms ask for.
  MetricQuery sliding{.metric = kLatency,
                      .statistic = "Maximum",
                      .period = 300s,
                      .phase = 120s,
                      .from = at(kStart + 120),
                      .to = at(kStart + 720)};
  const auto slid = store->read(sliding);
  ASSERT_TRUE(slid);
  ASSERT_EQ(slid->size(), 2u);
  EXPECT_EQ((*slid)[0], (Point{at(kStart + 120), 6, 5}));
  EXPECT_EQ((*slid)[1], (Point{at(kStart + 420), 11, 5}));
  sliding.from = at(kStart + 120);
  sliding.to = at(kStart + 180);
  sliding.statistic = "SampleCount";
  EXPECT_EQ(store->whole(sliding)->value(), (Point{at(kStart + 120), 1, 1}));
  sliding.to = at(kStart + 3000);
  EXPECT_EQ(store->whole(sliding)->value().value, 48);
  // Standard resolution has no seconds.
  EXPECT_TRUE(read(*store, "Sum", 1s, at(kStart), at(kStart + 3600)).empty());
  EXPECT_FALSE(store->read({.metric = kLatency, .statistic = "p95x"}));
}

TEST(Store, AnswersTheSameFromHeadLogAndSegments) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart));
  auto store = open_store(directory, clock);
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> tail(3, 1);
  std::vector<double> samples;
  for (int second = 0; second < 900; ++second) {
    clock.advance(1s);
    for (int i = 0; i < 5; ++i) {
      samples.push_back(tail(random));
      put(*store, datum(kLatency, clock.now(), samples.back(), Resolution::kSecond));
    }
    if (second % 3 == 0) {
      ASSERT_TRUE(store->tick());
    }
    if (second % 250 == 249) {
      ASSERT_TRUE(store->flush());
    }
  }
  const auto ask = [&](const char* statistic, std::chrono::seconds period) {
    return read(*store, statistic, period, at(kStart), clock.now());
  };
  const auto seconds = ask("Average", 1s);
  const auto minutes = ask("p95", 60s);
  const auto all = ask("p99", 3600s);
  EXPECT_EQ(seconds.size(), 900u - 1);  // the last one starts at `to`
  EXPECT_EQ(minutes.size(), 15u);
  ASSERT_EQ(all.size(), 1u);
  std::ranges::sort(samples);
  EXPECT_NEAR(all[0].value, samples[static_cast<std::size_t>(std::ceil(0.99 * 4500)) - 1], all[0].value * 0.01);
  store.reset();
  store = open_store(directory, clock);  // the last 150 s come from the log
  EXPECT_EQ(ask("Average", 1s), seconds);
  EXPECT_EQ(ask("p95", 60s), minutes);
  EXPECT_EQ(ask("p99", 3600s), all);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(ask("Average", 1s), seconds);
  EXPECT_EQ(ask("p95", 60s), minutes);
  store.reset();
  store = open_store(directory, clock);
  EXPECT_EQ(ask("p95", 60s), minutes);
  EXPECT_EQ(ask("p99", 3600s), all);
  EXPECT_EQ(store->newest(kLatency), at(kStart + 900));
}

TEST(Store, TakesSamplesOutOfOrderWithinTheWindow) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart + 86'400 * 20));
  const auto store = open_store(directory, clock);
  const auto now = clock.now();
  std::mt19937_64 random(2);
  std::vector<std::int64_t> minutes;
  for (std::int64_t minute = 0; minute < 14 * 1440 - 1; minute += 37) minutes.push_back(minute);
  std::ranges::shuffle(minutes, random);
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    put(*store, datum(kLatency, now - minutes[i] * 60s, 1, i % 2 ? Resolution::kSecond : Resolution::kMinute));
    if (i % 100 == 0) {
      ASSERT_TRUE(store->flush());
    }
  }
  put(*store, datum(kLatency, now + 2h, 1));
  const auto days = read(*store, "SampleCount", 86'400s, now - 15 * 24h, now + 24h);
  double total = 0;
  for (const auto& day : days) total += day.value;
  EXPECT_EQ(total, static_cast<double>(minutes.size() + 1));
  for (const auto outside : {now - kOldestSample - 1s, now + kNewestSample + 1s}) {
    const auto late = datum(kLatency, outside, 1);
    const auto refused = store->put({&late, 1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kMalformed);
    EXPECT_NE(refused.error().message.find("two weeks"), std::string::npos);
  }
}

TEST(Store, KeepsTruePercentilesThroughFifteenMonths) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart));
  auto store = open_store(directory, clock);
  std::mt19937_64 random(4);
  constexpr int kDays = 470;
  constexpr int kHourStep = 6;  // samples in one minute of every sixth hour
  std::map<std::int64_t, std::vector<double>> by_hour;
  for (int day = 0; day < kDays; ++day) {
    for (int hour = 0; hour < 24; hour += kHourStep) {
      std::lognormal_distribution<double> tail(2 + day % 3, 0.7);
      auto& samples = by_hour[kStart + day * 86'400 + hour * 3600];
      for (int i = 0; i < 30; ++i) {
        samples.push_back(tail(random));
        put(*store, datum(kLatency, clock.now() + std::chrono::seconds{i}, samples.back(), Resolution::kSecond));
      }
      clock.advance(kHourStep * 1h);
    }
    if (day % 4 == 0) {
      ASSERT_TRUE(store->maintain());
    }
    if (day == 200) {
      store.reset();
      store = open_store(directory, clock);
    }
  }
  ASSERT_TRUE(store->flush());
  const auto check = [&](std::chrono::seconds period, std::chrono::hours kept) {
    const auto points = read(*store, "p90", period, clock.now() - 24h * 500, clock.now());
    const auto oldest = clock.now() - kept;
    std::size_t expected = 0;
    for (const auto& [hour, samples] : by_hour) expected += at(hour) >= oldest;
    EXPECT_EQ(points.size(), expected) << period.count();
    for (const auto& point : points) {
      auto samples = by_hour.at(point.start.time_since_epoch() / 1s);
      std::ranges::sort(samples);
      EXPECT_EQ(point.samples, samples.size());
      EXPECT_NEAR(point.value, samples[26], samples[26] * 0.01);
    }
  };
  check(60s, 24h * 15);
  check(300s, 24h * 63);
  check(3600s, 24h * 455);
  // Of a month, all samples together.
  const auto month = read(*store, "p90", 24h * 30, clock.now() - 24h * 400, clock.now() - 24h * 300);
  ASSERT_GE(month.size(), 2u);
  std::vector<double> samples;
  const auto start = month[0].start.time_since_epoch() / 1s;
  for (const auto& [hour, part] : by_hour) {
    if (hour >= start && hour < start + 86'400 * 30) samples.insert(samples.end(), part.begin(), part.end());
  }
  std::ranges::sort(samples);
  const auto rank = static_cast<std::size_t>(std::ceil(0.9 * static_cast<double>(samples.size())));
  EXPECT_EQ(month[0].samples, samples.size());
  EXPECT_NEAR(month[0].value, samples[rank - 1], samples[rank - 1] * 0.01);
  EXPECT_LT(store->figures().segments, 120u);
}

TEST(Store, ForgetsSeriesWithoutSamplesAndTakesOthersInTheirPlace) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart));
  auto store = open_store(directory, clock, 3);
  const auto numbered = [](int number) { return MetricId{"App", "M", {{"Id", std::to_string(number)}}}; };
  for (int i = 0; i < 3; ++i) put(*store, datum(numbered(i), clock.now(), 1));
  const Datum fourth = datum(numbered(3), clock.now(), 1);
  const auto refused = store->put({&fourth, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kLimit);
  EXPECT_NE(refused.error().message.find("at most 3"), std::string::npos);
  EXPECT_EQ(store->figures().refused_series, 1u);
  put(*store, datum(numbered(0), clock.now(), 1));  // what is known goes on
  const std::vector<Datum> mixed{datum(numbered(1), clock.now(), 1), fourth};
  EXPECT_FALSE(store->put(mixed));
  EXPECT_EQ(read(*store, "SampleCount", 60s, at(kStart), at(kStart + 60), numbered(1))[0].value, 1) << "all or none";
  ASSERT_TRUE(store->flush());
  for (int day = 0; day < 500; day += 25) {
    clock.advance(24h * 25);
    put(*store, datum(numbered(0), clock.now(), 1));
    ASSERT_TRUE(store->flush());
  }
  EXPECT_EQ(store->figures().series, 1u);
  EXPECT_EQ(store->list({}), std::vector<MetricId>{numbered(0)});
  const Datum newcomer = datum(numbered(3), clock.now(), 1);
  EXPECT_TRUE(store->put({&newcomer, 1}));
  store.reset();
  store = open_store(directory, clock, 3);
  EXPECT_EQ(store->list({}), (std::vector<MetricId>{numbered(0), numbered(3)}));
}

TEST(Store, ListsByNamespaceNameAndDimensions) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart));
  const auto store = open_store(directory, clock);
  const MetricId a{"App", "Errors", {{"Service", "a"}}};
  const MetricId b{"App", "Errors", {{"Service", "b"}, {"Zone", "1"}}};
  const MetricId c{"Other", "Errors", {}};
  for (const auto& metric : {c, b, a}) put(*store, datum(metric, clock.now(), 1));
  EXPECT_EQ(store->list({}), (std::vector<MetricId>{a, b, c}));
  EXPECT_EQ(store->list({.name_space = "App"}), (std::vector<MetricId>{a, b}));
  EXPECT_EQ(store->list({.name = "Errors", .dimensions = {{"Service", std::nullopt}}}), (std::vector<MetricId>{a, b}));
  EXPECT_EQ(store->list({.dimensions = {{"Service", "b"}}}), (std::vector<MetricId>{b}));
  EXPECT_EQ(store->newest(a), clock.now());
  EXPECT_EQ(store->newest({"App", "None", {}}), std::nullopt);
}

TEST(Store, TellsUnitsApart) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart + 60));
  const auto store = open_store(directory, clock);
  Datum milliseconds = datum(kLatency, at(kStart), 100);
  Datum seconds = datum(kLatency, at(kStart + 30), 0.1);
  seconds.unit = *unit_number("Seconds");
  put(*store, milliseconds);
  put(*store, seconds);
  MetricQuery query{
      .metric = kLatency, .statistic = "Sum", .unit = "Milliseconds", .from = at(kStart), .to = clock.now()};
  EXPECT_EQ(store->read(query)->at(0).value, 100);
  query.unit = std::nullopt;
  EXPECT_EQ(store->read(query)->at(0).value, 0.1) << "of the newest";
  query.unit = "Count";
  EXPECT_TRUE(store->read(query)->empty());
  query.unit = "Parsec";
  EXPECT_FALSE(store->read(query));
  EXPECT_EQ(store->units(kLatency), (std::vector<std::string>{"Milliseconds", "Seconds"}));
}

// The child writes sample number i into second i and tells through a pipe what the store has ticked; then it is killed.
TEST(Store, LosesNothingThatWasTickedWhenKilled) {
  for (int round = 0; round < 6; ++round) {
    TestDirectory directory;
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      base::ManualClock clock(at(kStart));
      auto store = Store::open({.directory = directory.path(), .threads = false}, clock);
      if (!store) _exit(1);
      for (std::int64_t second = 1;; ++second) {
        clock.advance(1s);
        Datum sample = datum(kLatency, clock.now(), 1, Resolution::kSecond);
        if (!(*store)->put({&sample, 1}) || !(*store)->tick()) _exit(1);
        if (write(pipe_ends[1], &second, sizeof second) != sizeof second) _exit(1);
        if (second % 7 == 0 && !(*store)->flush()) _exit(1);
      }
    }
    close(pipe_ends[1]);
    std::int64_t acknowledged = 0;
    const int until = 20 + round * 23;
    while (acknowledged<until&& ::read(pipe_ends[0], &acknowledged, sizeof acknowledged)> 0) {
    }
    usleep(static_cast<unsigned>(round) * 700);  // into different moments of a flush
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::int64_t more = 0;
    while (::read(pipe_ends[0], &more, sizeof more) > 0) acknowledged = more;
    close(pipe_ends[0]);
    base::ManualClock clock(at(kStart + acknowledged + 10));
    const auto store = open_store(directory, clock);
    const auto points = read(*store, "SampleCount", 1s, at(kStart), clock.now());
    EXPECT_GE(points.size(), static_cast<std::size_t>(acknowledged));
    EXPECT_LE(points.size(), static_cast<std::size_t>(acknowledged) + 1);
    for (const auto& point : points) EXPECT_EQ(point.value, 1) << "twice, in round " << round;
    double minutes = 0;
    for (const auto& point : read(*store, "Sum", 60s, at(kStart), clock.now())) minutes += point.value;
    EXPECT_EQ(minutes, static_cast<double>(points.size()));
  }
}

std::filesystem::path file_with(const TestDirectory& directory, const std::string& part) {
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().filename().native().find(part) != std::string::npos) return entry.path();
  }
  return {};
}

TEST(Store, CutsTornLogsAtTheirLastWholeFrame) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart + 600));
  {
    const auto store = open_store(directory, clock);
    for (int minute = 0; minute < 10; ++minute) {
      put(*store, datum(kLatency, at(kStart + minute * 60), 1));
      ASSERT_TRUE(store->tick());
    }
  }
  const auto log = file_with(directory, "ingest-");
  const auto bytes = *base::read_file(log);
  base::set_log_level(base::Level::kError);
  std::size_t before = 10;
  for (std::size_t length = bytes.size(); length-- > 0;) {
    ASSERT_TRUE(base::replace_file(log, bytes.substr(0, length)));
    const auto store = open_store(directory, clock);
    const auto points = read(*store, "Sum", 60s, at(kStart), clock.now());
    ASSERT_LE(points.size(), before);
    ASSERT_GE(points.size() + 1, before);
    before = points.size();
    // And goes on behind the cut.
    if (length % 16 == 0) {
      put(*store, datum(kLatency, at(kStart + 540), 5));
      ASSERT_TRUE(store->tick());
      const auto again = open_store(directory, clock);
      EXPECT_GE(read(*again, "Sum", 60s, at(kStart + 540), clock.now()).at(0).value, 5);
    }
  }
  EXPECT_EQ(before, 0u);
}

TEST(Store, StartsWithoutADamagedSegmentAndReadsAroundADamagedBlock) {
  TestDirectory directory;
  base::ManualClock clock(at(kStart + 600));
  const MetricId other{"App", "Other", {}};
  {
    const auto store = open_store(directory, clock);
    for (const auto& metric : {kLatency, other}) put(*store, datum(metric, at(kStart), 1));
    ASSERT_TRUE(store->flush());
  }
  const auto segment = file_with(directory, "60s-");
  const auto bytes = *base::read_file(segment);
  auto damaged = bytes;
  damaged[5] ^= 1;  // the first block
  ASSERT_TRUE(base::replace_file(segment, damaged));
  {
    const auto store = open_store(directory, clock);
    EXPECT_TRUE(read(*store, "Sum", 60s, at(kStart), clock.now()).empty());
    EXPECT_EQ(read(*store, "Sum", 60s, at(kStart), clock.now(), other).size(), 1u);
  }
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    ASSERT_TRUE(base::replace_file(segment, bytes.substr(0, length)));
    const auto store = open_store(directory, clock);
    EXPECT_TRUE(read(*store, "Sum", 60s, at(kStart), clock.now()).empty());
    EXPECT_EQ(read(*store, "Sum", 300s, at(kStart), clock.now()).size(), 1u) << "other levels are other files";
  }
}

TEST(Store, IsReadAndWrittenByManyThreadsAtOnce) {
  TestDirectory directory;
  auto opened = Store::open({.directory = directory.path(), .head_bytes = 64 << 10}, base::system_clock());
  ASSERT_TRUE(opened);
  Store& store = **opened;
  const auto begin = std::chrono::floor<std::chrono::days>(base::system_clock().now());
  constexpr int kThreads = 3;
  constexpr int kEach = 4000;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&store, t] {
      for (int i = 0; i < kEach; ++i) {
        const MetricId metric{"App", "M", {{"Id", std::to_string((i + t) % 50)}}};
        put(store, datum(metric, base::system_clock().now(), i % 97, Resolution::kSecond));
        if (i % 1000 == 0) {
          EXPECT_TRUE(store.flush());
        }
      }
    });
  }
  std::uint64_t seen = 0;
  const auto count_all = [&] {
    std::uint64_t total = 0;
    for (int id = 0; id < 50; ++id) {
      const MetricId metric{"App", "M", {{"Id", std::to_string(id)}}};
      for (const auto& point : read(store, "p95", 3600s, begin, begin + 48h, metric)) total += point.samples;
    }
    return total;
  };
  for (int i = 0; i < 20; ++i) {
    const auto now = count_all();
    EXPECT_GE(now, seen) << "what was read once is read again";
    seen = now;
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(count_all(), static_cast<std::uint64_t>(kThreads * kEach));
}

}  // namespace
}  // namespace securebase::monitoring
