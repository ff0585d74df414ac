#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "load/scenarios/target_watch.h"

namespace securebase::load {
namespace {

// A /proc with one process in it.
class ProcDirectory : public testing::Test {
 protected:
  ProcDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "proc-XXXXXX").native();
    directory_ = ::mkdtemp(name.data());
    std::ofstream(directory_ / "stat") << "cpu  100 0 100 1000 0 0 0 0 0 0\n";
  }
  ~ProcDirectory() override { std::filesystem::remove_all(directory_); }
  void process(char state, int start_ticks) const {
    std::filesystem::create_directories(directory_ / "77");
    std::ofstream(directory_ / "77" / "stat")
        << "77 (a (strange) name) " << state << " 1 1 1 0 -1 0 0 0 0 0 50 50 0 0 20 0 1 0 " << start_ticks
        << " 1000 100 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n";
    std::ofstream(directory_ / "77" / "statm") << "1000 100 10 1 0 10 0\n";
  }
  void end_process() const { std::filesystem::remove_all(directory_ / "77"); }
  std::filesystem::path directory_;
};

TEST_F(ProcDirectory, IsWatchedBesideWhatThePlatformSaysOfItsLimits) {
  process('S', 500);
  const auto status = *base::Json::parse(R"({"pid":77,"database":{"connections":190,"max_connections":200},
    "functions":[{"function":"auth","under_way":3,"reserved":10},{"function":"api","under_way":40}],
    "unreserved_concurrency":{"under_way":40,"limit":990}})");
  auto watch = TargetWatch::open(
      0, [&] { return Result<base::Json>(status); }, directory_);
  ASSERT_TRUE(watch);
  const auto before = watch->sample();
  auto after = before;
  after.at += std::chrono::seconds{10};
  const auto seen = pressures(before, after, 0);
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(seen[0].resource, "connections of PostgreSQL");
  EXPECT_EQ(seen[0].seen, "190 of 200");
  EXPECT_DOUBLE_EQ(seen[0].share, 0.95);
  EXPECT_EQ(seen[1].resource, "concurrency of the function auth");
  EXPECT_EQ(seen[2].resource, "concurrency of functions that reserve none");
}

TEST_F(ProcDirectory, WithoutTheProcessIsRefused) {
  const auto none = TargetWatch::open(77, nullptr, directory_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::kMalformed);
  EXPECT_NE(none.error().message.find("77"), std::string::npos);
  process('Z', 500);  // it ended, and its parent has not asked for it
  EXPECT_FALSE(TargetWatch::open(77, nullptr, directory_));
  process('S', 500);
  EXPECT_TRUE(TargetWatch::open(77, nullptr, directory_));
}

TEST_F(ProcDirectory, NoticesThatTheProcessEnded) {
  process('S', 500);
  auto watch = TargetWatch::open(77, nullptr, directory_);
  ASSERT_TRUE(watch);
  EXPECT_TRUE(watch->sample().of_target);
  EXPECT_FALSE(watch->lost());
  end_process();
  EXPECT_FALSE(watch->sample().of_target);
  EXPECT_TRUE(watch->lost());
}

TEST_F(ProcDirectory, DoesNotTakeAnotherProcessOfTheSameNumberForTheTarget) {
  process('S', 500);
  auto watch = TargetWatch::open(77, nullptr, directory_);
  ASSERT_TRUE(watch);
  process('S', 501);
  EXPECT_FALSE(watch->sample().of_target);
  EXPECT_TRUE(watch->lost());
  process('S', 500);  // what was lost is not found again
  EXPECT_FALSE(watch->sample().of_target);
}

TEST(Pressures, AreOfOneSpanOfTime) {
  TargetSample before;
  before.at = base::SteadyPoint{std::chrono::seconds{100}};
  before.of_target = true;
  before.cpu_seconds = 50;
  before.generator_cpu_seconds = 7;  // what the generator used before it measured
  auto after = before;
  after.at += std::chrono::seconds{10};
  after.machine_busy_seconds = 12;
  after.cpu_seconds += 8;
  after.generator_cpu_seconds += 2;
  const auto seen = pressures(before, after, 0);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.front().resource, "CPU of this machine");
  EXPECT_NE(seen.front().seen.find("the target 0.80; this generator 0.20"), std::string::npos) << seen.front().seen;
}

TEST(Pressures, NameALimitThatRefusedBeforeABusyMachine) {
  TargetSample before;
  before.at = base::SteadyPoint{std::chrono::seconds{100}};
  auto after = before;
  after.at += std::chrono::seconds{10};
  after.machine_busy_seconds = 10.1 * TargetWatch::cores();  // clocks differ by a tick
  EXPECT_EQ(pressures(before, after, 0).front().resource, "CPU of this machine");
  EXPECT_EQ(pressures(before, after, 0).front().share, 1);
  EXPECT_EQ(pressures(before, after, 0.16).front().resource, "throttles of the gateway");
}

}  // namespace
}  // namespace securebase::load
