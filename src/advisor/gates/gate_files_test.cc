#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class GateFiles : public testing::Test {
 protected:
  GateFiles() : directory_(fs::temp_directory_path() / ("gates." + std::to_string(getpid()))) {
    fs::create_directories(directory_);
  }
  ~GateFiles() override { fs::remove_all(directory_); }
  const fs::path directory_;
};

TEST_F(GateFiles, KeepWaivers) {
  const auto file = directory_ / "waivers.json";
  {
    auto waivers = Waivers::open(file);
    ASSERT_TRUE(waivers);
    EXPECT_TRUE(waivers->add({"monthly/cost", "ana", "known", kAt + hours{24}, kAt}));
    EXPECT_EQ(waivers->add({"monthly/costs", "ana", "known", kAt + hours{24}, kAt}).error().code, Errc::kMalformed);
    EXPECT_EQ(waivers->add({"monthly/cost", "", "known", kAt + hours{24}, kAt}).error().code, Errc::kMalformed);
    EXPECT_EQ(waivers->add({"monthly/cost", "ana", "known", kAt + hours{24 * 91}, kAt}).error().code, Errc::kLimit);
  }
  auto again = Waivers::open(file);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->all().size(), 1u);
  EXPECT_EQ(again->all().front().owner, "ana");
  EXPECT_EQ(again->all().front().until, kAt + hours{24});
  EXPECT_EQ(again->remove("monthly/memory").error().code, Errc::kNotFound);
  EXPECT_TRUE(again->remove("monthly/cost"));
}

TEST_F(GateFiles, KeepLoadRuns) {
  const auto file = directory_ / "runs.jsonl";
  {
    auto runs = LoadRuns::open(file);
    ASSERT_TRUE(runs);
    auto run = passed_run();
    run.name = "checkout";
    run.scaling_seconds = 2.5;
    run.users = 500;
    run.seconds = 120.5;
    run.limit_ms = 100;
    run.rise_seconds = 10;
    EXPECT_TRUE(runs->add(run));
  }
  std::ofstream(file, std::ios::app) << "{\"torn";
  auto again = LoadRuns::open(file);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->all().size(), 1u);
  const auto run = again->all().front();
  EXPECT_EQ(run.scenario, "load-test.js");
  EXPECT_EQ(run.verdict, RunVerdict::kPass);
  EXPECT_EQ(run.scaling_seconds, 2.5);
  EXPECT_EQ(run.name, "checkout");
  EXPECT_EQ(run.users, 500u);
  EXPECT_EQ(run.seconds, 120.5);
  EXPECT_EQ(run.limit_ms, 100);
  EXPECT_EQ(run.rise_seconds, 10);
}

TEST(LoadRunRecord, OfBeforeThereWasAVerdictIsUnderstood) {
  const auto verdict = [](const char* more) {
    const auto text = std::string(R"({"began_ms":1,"ended_ms":2,"tool":"k6","scenario":"a.js",)") + more + "}";
    const auto run = load_run_from(*base::Json::parse(text));
    return run ? std::string(to_string(run->verdict)) : run.error().message;
  };
  EXPECT_EQ(verdict(R"("valid":true,"passed":true)"), "pass");
  EXPECT_EQ(verdict(R"("valid":true,"passed":false)"), "fail");
  EXPECT_EQ(verdict(R"("valid":true)"), "none");
  EXPECT_EQ(verdict(R"("valid":false,"passed":true)"), "invalid");
  EXPECT_THAT(verdict(R"("verdict":"great")"), HasSubstr("not \"great\""));
}

}  // namespace
}  // namespace securebase::advisor
