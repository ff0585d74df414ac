#include <gtest/gtest.h>

#include "load/scenarios/capacity.h"
#include "load/scenarios/measured_fixture.h"

namespace securebase::load {
namespace {

// How the search walks when the target breaks above `limit` users.
std::vector<std::uint64_t> search(std::uint64_t limit) {
  std::vector<CapacityStep> steps;
  std::vector<std::uint64_t> walked;
  while (const auto users = next_users(steps, 10, 1000)) {
    CapacityStep step;
    step.users = *users;
    if (*users > limit) step.outcome = CapacityStep::Outcome::kBroken;
    steps.push_back(step);
    walked.push_back(*users);
    if (walked.size() > 50) break;
  }
  return walked;
}

TEST(CapacitySearch, ClosesInOnTheBreakingPoint) {
  for (const std::uint64_t limit : {11u, 60u, 333u, 999u}) {
    const auto walked = search(limit);
    EXPECT_LT(walked.size(), 20u);
    std::uint64_t good = 0;
    std::uint64_t bad = 2000;
    for (const auto users : walked)
      (users > limit ? bad : good) = users > limit ? std::min(bad, users) : std::max(good, users);
    EXPECT_LE(static_cast<double>(bad - good), std::max(1.0, 0.12 * static_cast<double>(bad))) << limit;
  }
  EXPECT_EQ(search(5000).back(), 1000u);
  EXPECT_EQ(search(1), (std::vector<std::uint64_t>{10}));
}

RunResult capacity_run(std::uint64_t answers, double milliseconds) {
  RunResult result;
  result.measured = measured(answers, milliseconds);
  for (const auto& limit : guide_criteria()) result.thresholds.push_back(judge(limit, result.measured, false));
  return result;
}

TEST(CapacityStep, IsHeldOrBrokenOnlyWithEnoughSamples) {
  EXPECT_EQ(step_of(10, capacity_run(1000, 50), {}, {}).outcome, CapacityStep::Outcome::kHeld);
  EXPECT_EQ(step_of(10, capacity_run(1000, 150), {}, {}).outcome, CapacityStep::Outcome::kBroken);
  const auto few = step_of(10, capacity_run(150, 50), {}, {});
  EXPECT_EQ(few.outcome, CapacityStep::Outcome::kUndecided);
  EXPECT_EQ(few.why, "p95<100ms has 150 samples, 200 are needed");
  const auto silent = step_of(10, capacity_run(0, 0), {}, {});
  EXPECT_EQ(silent.outcome, CapacityStep::Outcome::kBroken);
  EXPECT_EQ(silent.why, "nothing was answered");
  auto interrupted = capacity_run(1000, 50);
  interrupted.interrupted = true;
  EXPECT_EQ(step_of(10, interrupted, {}, {}).outcome, CapacityStep::Outcome::kUndecided);
}

TEST(CapacityStep, IsMeasuredForLongerUntilItsSamplesAreEnough) {
  using std::chrono::seconds;
  EXPECT_EQ(longer_step(capacity_run(150, 50), seconds{10}, seconds{100}), seconds{20});
  EXPECT_EQ(longer_step(capacity_run(60, 50), seconds{10}, seconds{100}), seconds{40});  // 200 and a fifth
  EXPECT_FALSE(longer_step(capacity_run(3, 50), seconds{10}, seconds{100}));
}

TEST(CapacitySearch, ThatStaysUndecidedHasNoVerdictAndNoKnee) {
  std::vector<CapacityStep> steps;
  for (const std::uint64_t users : {1, 2, 4, 8}) {
    CapacityStep step;
    step.users = users;
    step.throughput = 10.0 * static_cast<double>(users);
    steps.push_back(step);
  }
  auto held = capacity_run(1000, 50);
  conclude(steps, held);
  EXPECT_EQ(exit_code(held), kPassed);
  EXPECT_FALSE(held.findings["law"].is_null());
  EXPECT_EQ(held.findings["held"]["users"].integer_or(0), 8);

  steps.back().outcome = CapacityStep::Outcome::kUndecided;
  steps.back().why = "p95<100ms has 150 samples, 200 are needed";
  EXPECT_FALSE(next_users(steps, 1, 1000));
  auto undecided = capacity_run(150, 50);
  conclude(steps, undecided);
  EXPECT_EQ(exit_code(undecided), kNoEvidence);
  EXPECT_TRUE(undecided.findings["law"].is_null());  // three points are too few
  EXPECT_EQ(undecided.findings["held"]["users"].integer_or(0), 4);
}

TEST(CapacitySearch, NamesNoKneeThatNobodySaw) {
  std::vector<CapacityStep> steps;
  for (const std::uint64_t users : {10, 16, 26, 42}) {
    CapacityStep step;
    step.users = users;
    step.throughput = 10.0 * static_cast<double>(users);
    steps.push_back(step);
  }
  auto result = capacity_run(1000, 50);
  conclude(steps, result);
  EXPECT_TRUE(result.findings["law"]["knee_users"].is_null());
  const auto text = capacity_text(result.findings);
  EXPECT_NE(text.find("no knee: throughput grew in line with the users"), std::string::npos) << text;
  for (const char* nonsense : {"inf", "nan"}) EXPECT_EQ(text.find(nonsense), std::string::npos) << text;
}

TEST(CapacitySearch, ThatBreaksAtOnceSaysWhatToDo) {
  CapacityStep step;
  step.users = 10;
  step.outcome = CapacityStep::Outcome::kBroken;
  step.why = "errors<1% was 57.89";
  auto result = capacity_run(1000, 50);
  conclude({step}, result);
  const auto text = capacity_text(result.findings);
  EXPECT_NE(text.find("breaks at 10 users already"), std::string::npos) << text;
  EXPECT_NE(text.find("--think"), std::string::npos) << text;
  EXPECT_EQ(text.find("held 0"), std::string::npos) << text;
}

}  // namespace
}  // namespace securebase::load
