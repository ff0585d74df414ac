#include "database/sampler.h"

#include <gtest/gtest.h>

#include "database/metrics.h"

namespace securebase::database {
namespace {

using namespace std::chrono_literals;

const Identifiers kOf = {"securebase-prod", {"securebase-prod-instance-1"}};
const telemetry::Dimensions kCluster = {{"DBClusterIdentifier", "securebase-prod"}};
const telemetry::Dimensions kInstance = {{"DBInstanceIdentifier", "securebase-prod-instance-1"}};

struct Samples : testing::Test {
  Samples() {
    before.at = base::SteadyPoint(100s);
    now.at = base::SteadyPoint(105s);
  }
  telemetry::Sketch of(const Metric& metric, const telemetry::Dimensions& dimensions = kCluster) {
    return registry.distribution(metric, dimensions).total();
  }
  telemetry::Registry registry;
  Reading before;
  Reading now;
};

TEST_F(Samples, AreRatesOverTheTimeBetweenTwoReadings) {
  before.commits = 100;
  now.commits = 150;
  before.usage.cpu = 1s;
  now.usage.cpu = 6s;
  now.usage.reads = 20;
  now.usage.written_bytes = 5000;
  now.connections = 7;
  record(registry, kOf, before, now, 2);
  EXPECT_DOUBLE_EQ(*of(kCommitThroughput).average(), 10);
  EXPECT_DOUBLE_EQ(*of(kCpuUtilization).average(), 50);
  EXPECT_DOUBLE_EQ(*of(kReadIops).average(), 4);
  EXPECT_DOUBLE_EQ(*of(kWriteThroughput).average(), 1000);
  EXPECT_DOUBLE_EQ(*of(kDatabaseConnections).average(), 7);
  EXPECT_DOUBLE_EQ(*of(kDatabaseConnections, kInstance).average(), 7);
}

TEST_F(Samples, OfQueryTimeAreAsManyAsThereWereCalls) {
  before.statements["a"] = {10, 1000};
  now.statements["a"] = {13, 1600};  // three calls of 200 ms
  now.statements["b"] = {1, 40};     // seen for the first time
  record(registry, kOf, before, now, 2);
  const auto times = of(kQueryTime);
  EXPECT_EQ(times.count(), 4U);
  EXPECT_DOUBLE_EQ(*times.average(), 160);
  EXPECT_DOUBLE_EQ(*times.maximum(), 200);
}

TEST_F(Samples, OfQueryTimeBeginAnewWhenStatisticsWereReset) {
  before.statements["a"] = {1000, 1000};
  now.statements["a"] = {2, 30};
  record(registry, kOf, before, now, 2);
  EXPECT_EQ(of(kQueryTime).count(), 2U);
  EXPECT_DOUBLE_EQ(*of(kQueryTime).average(), 15);
}

TEST_F(Samples, OfTheBufferCacheWeighEveryBlock) {
  now.blocks_hit = 990;
  now.blocks_read = 10;
  record(registry, kOf, before, now, 2);
  EXPECT_EQ(of(kBufferCacheHitRatio).count(), 1000U);
  EXPECT_DOUBLE_EQ(*of(kBufferCacheHitRatio).average(), 99);
}

TEST_F(Samples, OfStorageAreLevels) {
  record_storage(registry, kOf, 1000, std::nullopt, 5);
  record_storage(registry, kOf, 3000, 70, 5);
  EXPECT_EQ(of(kFreeStorageSpace).count(), 2U);
  EXPECT_DOUBLE_EQ(*of(kFreeStorageSpace).average(), 2000);
  EXPECT_EQ(of(kVolumeBytesUsed).count(), 1U);
  EXPECT_DOUBLE_EQ(*of(kFreeableMemory, kInstance).average(), 5);
}

TEST_F(Samples, AreNoneWithoutTime) {
  now.at = before.at;
  record(registry, kOf, before, now, 2);
  EXPECT_EQ(of(kDatabaseConnections).count(), 0U);
}

}  // namespace
}  // namespace securebase::database
