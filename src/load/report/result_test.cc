#include <gtest/gtest.h>

#include "load/report/result.h"
#include "load/scenarios/measured_fixture.h"

namespace securebase::load {
namespace {

TEST(RunResult, ComesBackFromItsJson) {
  RunResult result;
  result.scenario = "run";
  result.target = "http://x/";
  result.started = base::TimePoint{std::chrono::seconds{1'800'000'000}};
  result.measured = measured(1000, 50, 20);
  result.thresholds = {judge(*parse_threshold("errors<1%"), result.measured, false)};
  result.checks = {{"scaling", "seen", Verdict::kPass}};
  result.generator.lateness_ms.add(2, 10);
  const auto text = to_json(result).dump();
  const auto back = result_from_json(*base::Json::parse(text));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_EQ(exit_code(*back), kCrossed);
  EXPECT_FALSE(result_from_json(base::Json::object({{"format", "other"}})));
}

TEST(RunResult, SaysTheWorst) {
  RunResult result;
  EXPECT_EQ(exit_code(result), kPassed);
  result.checks = {{"a", "", Verdict::kPass}, {"b", "", Verdict::kInsufficient}};
  EXPECT_EQ(exit_code(result), kNoEvidence);
  result.checks.push_back({"c", "", Verdict::kFail});
  EXPECT_EQ(exit_code(result), kCrossed);
  result.invalid_because = {"late"};
  EXPECT_EQ(exit_code(result), kInvalid);
  result.interrupted = true;
  EXPECT_EQ(exit_code(result), kInterrupted);
}

}  // namespace
}  // namespace securebase::load
