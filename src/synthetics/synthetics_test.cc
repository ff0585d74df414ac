#include "synthetics/synthetics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"

namespace securebase::synthetics {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SyntheticsTest : public testing::Test {
 protected:
  SyntheticsTest() : directory_(fs::temp_directory_path() / ("synthetics-test-" + std::to_string(getpid()))) {
    fs::remove_all(directory_);
    fs::create_directories(directory_ / "code");
    std::ofstream(directory_ / "code" / "checks.json") << R"({"steps": [{"name": "home", "url": "/", "status": 200}]})";
  }
  ~SyntheticsTest() override { fs::remove_all(directory_); }

  std::unique_ptr<Synthetics> open() {
    Synthetics::Settings settings{directory_ / "state", {}, clock_};
    auto made =
        Synthetics::open(std::move(settings), [](const std::string&, const std::string&) -> Result<std::string> {
          return Error{Errc::kNotFound, "no such object"};
        });
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return std::move(*made);
  }
  CanaryConfig checks(bool start) {
    CanaryConfig config;
    config.name = "checks";
    config.runtime_version = "securebase-http-1.0";
    config.handler = "checks.json";
    config.schedule = "rate(1 minute)";
    config.code = directory_ / "code";
    config.timeout = seconds{60};
    config.start = start;
    return config;
  }
  Config with(std::vector<CanaryConfig> canaries) { return {std::move(canaries)}; }
  std::vector<std::string> told(const Synthetics& synthetics) {
    const auto canaries = prober::canaries_from(base::read_file(synthetics.file()).value());
    std::vector<std::string> names;
    for (const auto& canary : canaries->all) names.push_back(canary.name);
    return names;
  }
  void ran(const std::string& id, bool passed) {
    prober::CanaryRun run;
    run.canary = "checks";
    run.id = id;
    run.begin = clock_.now();
    run.duration = milliseconds{12};
    run.passed = passed;
    run.answers_2xx = 1;
    run.steps = {{"home", passed, milliseconds{11}, passed ? "" : "status 500, expected 200"}};
    run.reason = passed ? "" : "home: status 500, expected 200";
    auto journal = prober::JournalWriter::open(directory_ / "state", prober::kRuns);
    ASSERT_TRUE(journal->append_line(prober::to_line(run)));
  }

  const fs::path directory_;
  base::ManualClock clock_;
};

TEST_F(SyntheticsTest, TakesALoadTestsScriptThatIsThere) {
  auto synthetics = open();
  CanaryConfig load = checks(true);
  load.runtime_version = "securebase-load-1.0";
  load.handler = "checkout.js";
  const auto refused = synthetics->apply(with({load}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("checkout.js is no file of the package"));
  load.handler = "../code/checks.json";
  EXPECT_FALSE(synthetics->apply(with({load}))) << "it leaves the package";
  std::ofstream(directory_ / "code" / "checkout.js") << "export default function () {}";
  load.handler = "checkout.js";
  ASSERT_TRUE(synthetics->apply(with({load})));
  const auto told = prober::canaries_from(base::read_file(synthetics->file()).value());
  ASSERT_THAT(told->all, SizeIs(1));
  EXPECT_EQ(told->all[0].kind, prober::Canary::Kind::kLoad);
}

TEST_F(SyntheticsTest, TellTheProberOfThoseThatRun) {
  auto synthetics = open();
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  EXPECT_THAT(told(*synthetics), ElementsAre("checks"));
  EXPECT_EQ(synthetics->canaries()[0].state, State::kRunning);
  EXPECT_EQ(synthetics->canaries()[0].interval, seconds{60});
  ASSERT_TRUE(synthetics->apply(with({checks(false)})));
  EXPECT_THAT(told(*synthetics), IsEmpty());
  EXPECT_EQ(synthetics->canaries()[0].state, State::kStopped);
}

TEST_F(SyntheticsTest, RememberWhatTheApiSaidUntilTheStackSaysOtherwise) {
  auto synthetics = open();
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  ASSERT_TRUE(synthetics->stop("checks"));
  EXPECT_EQ(synthetics->stop("checks").error().code, Errc::kConflict);
  EXPECT_EQ(synthetics->stop("other").error().code, Errc::kNotFound);
  synthetics = open();
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  EXPECT_THAT(told(*synthetics), IsEmpty()) << "a restart starts nothing that was stopped";
  ASSERT_TRUE(synthetics->apply(with({checks(false)})));
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  EXPECT_THAT(told(*synthetics), ElementsAre("checks"));
}

TEST_F(SyntheticsTest, RefuseChecksThatAreNone) {
  std::ofstream(directory_ / "code" / "checks.json") << R"({"steps": [{"name": "home"}]})";
  const auto done = open()->apply(with({checks(true)}));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("the canary checks"));
  EXPECT_THAT(done.error().message, HasSubstr("\"url\""));
  auto outside = checks(true);
  outside.handler = "../checks.json";
  EXPECT_THAT(open()->apply(with({outside})).error().message, HasSubstr("leaves the package"));
}

TEST_F(SyntheticsTest, MakeSamplesOfRunsOnceAndKeepTheRuns) {
  auto synthetics = open();
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  ran("first", true);
  ran("second", false);
  bool works = false;
  std::vector<std::string> recorded;
  const auto record = [&](std::span<const Sample> samples) -> Result<Done> {
    if (!works) return Error{Errc::kIo, "the store is full"};
    for (const auto& sample : samples) {
      recorded.push_back(std::string(sample.metric) + " " + sample.step + " " + std::to_string(int(sample.value)));
    }
    return Done{};
  };
  const auto persist = []() -> Result<Done> { return Done{}; };
  EXPECT_FALSE(synthetics->catch_up(record, persist));
  works = true;
  ASSERT_TRUE(synthetics->catch_up(record, persist));
  EXPECT_THAT(recorded, SizeIs(18));
  EXPECT_THAT(recorded, testing::Contains("SuccessPercent  100"));
  EXPECT_THAT(recorded, testing::Contains("SuccessPercent home 0"));
  EXPECT_THAT(recorded, testing::Contains("Duration home 11"));
  ASSERT_THAT(synthetics->runs("checks"), SizeIs(2));
  EXPECT_EQ(synthetics->runs("checks")[0].id, "second");

  recorded.clear();
  synthetics = open();
  ASSERT_TRUE(synthetics->catch_up(record, persist));
  EXPECT_THAT(recorded, IsEmpty()) << "what was recorded is not recorded again";
  EXPECT_THAT(synthetics->runs("checks"), SizeIs(2));
}

// The metrics' store holds a second in memory: a kill takes it.
TEST_F(SyntheticsTest, ReadRunsAgainWhoseSamplesWereNotOnDiskAtAKill) {
  auto synthetics = open();
  ASSERT_TRUE(synthetics->apply(with({checks(true)})));
  ran("first", true);
  std::size_t recorded = 0;
  const auto record = [&](std::span<const Sample> samples) -> Result<Done> {
    recorded += samples.size();
    return Done{};
  };
  bool works = false;
  const auto persist = [&]() -> Result<Done> {
    EXPECT_GT(recorded, 0u) << "what is not recorded cannot be on disk";
    EXPECT_FALSE(fs::exists(directory_ / "state" / "position"));
    return works ? Result<Done>(Done{}) : Error{Errc::kIo, "the disk is full"};
  };
  EXPECT_FALSE(synthetics->catch_up(record, persist));
  const auto of_a_run = recorded;
  EXPECT_FALSE(synthetics->catch_up(record, persist));
  EXPECT_EQ(recorded, of_a_run) << "a disk that is full makes nothing come twice";
  synthetics = open();
  works = true;
  ASSERT_TRUE(synthetics->catch_up(record, persist));
  EXPECT_EQ(recorded, 2 * of_a_run);
  synthetics = open();
  ASSERT_TRUE(synthetics->catch_up(record, persist));
  EXPECT_EQ(recorded, 2 * of_a_run);
}

TEST(Samples, OfARunThatCouldNotBeExecutedAreAFailure) {
  prober::CanaryRun run;
  run.executed = false;
  for (const auto& sample : samples_of(run)) {
    if (sample.metric == "Failed") {
      EXPECT_EQ(sample.value, 1);
    } else {
      EXPECT_EQ(sample.metric, "SuccessPercent");
      EXPECT_EQ(sample.value, 0);
    }
    EXPECT_NE(sample.metric, "Duration");
  }
}

}  // namespace
}  // namespace securebase::synthetics
