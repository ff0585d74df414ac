#include "cache/sampler.h"

#include <gtest/gtest.h>

#include "cache/metrics.h"

namespace securebase::cache {
namespace {

using namespace std::chrono_literals;

const CommandKinds kKinds = {{"get", "object|encoding"}, {"set", "unlink"}};

Cluster group() {
  Cluster cluster;
  cluster.id = "securebase-prod-redis";
  return cluster;
}

// Two readings, a second apart.
struct Pair {
  Reading before;
  Reading now;
  Pair() {
    before.at = base::SteadyPoint(10s);
    now.at = base::SteadyPoint(11s);
  }
};

const telemetry::Dimensions kGuides = {{"ReplicationGroupId", "securebase-prod-redis"}};

TEST(Info, IsReadLineByLine) {
  const auto reading = parse_info(
      "# Server\r\nredis_version:7.0.15\r\nconnected_clients:3\r\nused_memory:1000\r\nmaxmemory:4000\r\n"
      "keyspace_hits:7\r\nkeyspace_misses:2\r\n"
      "cmdstat_get:calls=21,usec=40,usec_per_call=1.9\r\ncmdstat_set:calls=4,usec=9\r\ncmdstat_ping:calls=100,usec="
      "1\r\n"
      "cmdstat_object|encoding:calls=1,usec=1\r\ndb0:keys=5,expires=0,avg_ttl=0\r\ndb1:keys=2,expires=0\r\n",
      kKinds);
  EXPECT_EQ(reading.hits, 7U);
  EXPECT_EQ(reading.misses, 2U);
  EXPECT_EQ(reading.connections, 2U) << "its own is left out";
  EXPECT_EQ(reading.used_bytes, 1000U);
  EXPECT_EQ(reading.max_bytes, 4000U);
  EXPECT_EQ(reading.reads, 22U);
  EXPECT_EQ(reading.writes, 4U);
  EXPECT_EQ(reading.items, 7U);
}

TEST(Info, OfSomethingElseIsNothing) {
  for (const char* text :
       {"", ":", "db", "db0:", "cmdstat_:calls", "cmdstat_get:calls=x", "\r\n\r\n", "keyspace_hits:-"}) {
    EXPECT_EQ(parse_info(text, kKinds).hits, 0U) << text;
    EXPECT_EQ(parse_info(text, kKinds).items, 0U) << text;
  }
}

TEST(HitRate, IsHitsPerLookupHoweverTheIntervalsFall) {
  telemetry::Registry registry;
  Pair pair;
  pair.now.hits = 900;
  pair.now.misses = 100;
  record(registry, group(), pair.before, pair.now, 1);
  Pair next;
  next.before = pair.now;
  next.now.at = base::SteadyPoint(12s);
  next.now.hits = 900;
  next.now.misses = 110;  // a second of misses only weighs its ten lookups
  record(registry, group(), next.before, next.now, 1);
  const auto rate = registry.distribution(kCacheHitRate, kGuides).total();
  EXPECT_EQ(rate.count(), 1010U);
  EXPECT_DOUBLE_EQ(*rate.average(), 100.0 * 900 / 1010);
}

TEST(HitRate, HasNoSamplesWhereNobodyLooksUp) {
  telemetry::Registry registry;
  Pair pair;
  record(registry, group(), pair.before, pair.now, 1);
  EXPECT_EQ(registry.distribution(kCacheHitRate, kGuides).total().count(), 0U);
}

TEST(Load, IsOfTheTimeThatTheServerHadACoreOrCouldHaveHadOne) {
  telemetry::Registry registry;
  const auto average = [&](const telemetry::Metric& metric) {
    return registry.distribution(metric, kGuides).total().average().value_or(-1);
  };
  Load before;
  before.at = base::SteadyPoint(10s);
  before.processor = {5s, 4s, 100s};
  Load now;
  now.at = base::SteadyPoint(12s);
  now.processor = {5s + 1600ms, 4s + 1400ms, 100s};
  record(registry, group(), before, now);
  EXPECT_NEAR(average(kCpuUtilization), 80, 1e-9);
  EXPECT_NEAR(average(kEngineCpuUtilization), 70, 1e-9);

  telemetry::Registry crowded;  // the machine gave it half of the time, and it used all of that
  now.processor = {6s, 5s, 101s};
  record(crowded, group(), before, now);
  EXPECT_NEAR(*crowded.distribution(kCpuUtilization, kGuides).total().average(), 100, 1e-9);

  telemetry::Registry anew;  // another process in its place
  now.processor = {1s, 1s, 0s};
  record(anew, group(), before, now);
  EXPECT_EQ(anew.distribution(kCpuUtilization, kGuides).total().count(), 0U);
}

TEST(Samples, AreSharesOfMaxmemory) {
  telemetry::Registry registry;
  Pair pair;
  pair.now.used_bytes = 90;
  pair.now.max_bytes = 100;
  record(registry, group(), pair.before, pair.now, 1);
  EXPECT_DOUBLE_EQ(*registry.distribution(kMemoryUsage, kGuides).total().average(), 90);
}

TEST(Samples, AreUnderEveryDimensionOfElastiCache) {
  telemetry::Registry registry;
  Pair pair;
  pair.now.hits = 3;
  record(registry, group(), pair.before, pair.now, 1);
  EXPECT_EQ(registry.counter(kCacheHits, kGuides).total(), 3U);
  EXPECT_EQ(registry.counter(kCacheHits, {{"CacheClusterId", "securebase-prod-redis-001"}}).total(), 3U);
  EXPECT_EQ(
      registry.counter(kCacheHits, {{"CacheClusterId", "securebase-prod-redis-001"}, {"CacheNodeId", "0001"}}).total(),
      3U);
  Cluster single;
  single.id = "one";
  single.replication_group = false;
  record(registry, single, pair.before, pair.now, 1);
  EXPECT_EQ(registry.counter(kCacheHits, {{"CacheClusterId", "one"}}).total(), 3U);
}

TEST(Counters, BeginAnewWithAServerThatWasRestarted) {
  telemetry::Registry registry;
  Pair pair;
  pair.before.hits = 1000;
  pair.now.hits = 4;
  record(registry, group(), pair.before, pair.now, 1);
  EXPECT_EQ(registry.counter(kCacheHits, kGuides).total(), 4U);
}

}  // namespace
}  // namespace securebase::cache
