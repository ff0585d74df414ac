#include "platform/uptime.h"

#include <gtest/gtest.h>

namespace securebase::platform {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::TimePoint kMinute{seconds{1'795'737'600}};  // a whole minute

TEST(UptimeSamples, AnAnswerIsASuccessWithItsTimes) {
  const auto samples = samples_of(prober::Probe{"portal", kMinute, 200, microseconds{812}, microseconds{1204}});
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].metric, "SuccessPercent");
  EXPECT_EQ(samples[0].value, 100);
  EXPECT_EQ(samples[1].value, 1.204);
  EXPECT_EQ(samples[2].metric, "TimeToFirstByte");
  EXPECT_EQ(samples[2].value, 0.812);
}

TEST(UptimeSamples, ARefusalFailsAndSilenceHasNoFirstByte) {
  EXPECT_EQ(samples_of(prober::Probe{"portal", kMinute, 503, microseconds{8}, microseconds{9}})[0].value, 0);
  const auto silent = samples_of(prober::Probe{"portal", kMinute, 0, {}, seconds{5}});
  ASSERT_EQ(silent.size(), 2u);
  EXPECT_EQ(silent[0].value, 0);
}

TEST(UptimeSamples, AnOutageIsAFailedProbeForEachInterval) {
  const auto samples =
      samples_of(prober::Outage{kMinute + seconds{30}, kMinute + seconds{150}}, "portal", milliseconds{1000});
  std::uint64_t failed = 0;
  for (const auto& sample : samples) {
    EXPECT_EQ(sample.value, 0);
    EXPECT_LE(sample.count, 60u);
    EXPECT_EQ(std::chrono::floor<std::chrono::minutes>(sample.time),
              std::chrono::floor<std::chrono::minutes>(sample.time + seconds{sample.count - 1}));
    failed += sample.count;
  }
  EXPECT_EQ(failed, 119u);  // the last beat stands for its own second
  EXPECT_EQ(samples.size(), 3u);
}

}  // namespace
}  // namespace securebase::platform
