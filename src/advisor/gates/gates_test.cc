#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advisor/gates/gates_fixture.h"

namespace securebase::advisor {
namespace {

TEST(Gates, WithoutAnyEvidenceNothingPasses) {
  const World world;
  for (const auto gate : {Gate::kPreDeploy, Gate::kPostDeploy, Gate::kMonthly}) {
    const auto report = check(gate, world.facts, {});
    EXPECT_EQ(report.checks.size(), 5u);
    EXPECT_NE(exit_code(report), 0);
    for (const auto& one : report.checks) {
      EXPECT_NE(one.decision, Decision::kPass) << one.id;
      EXPECT_FALSE(one.reason.empty()) << one.id;
      EXPECT_FALSE(one.fix.empty()) << one.id;
    }
  }
}

TEST(Waived, CountsAsPassedUntilItsDay) {
  World world;
  const Waiver waiver{"pre-deploy/load-test", "ana", "the generator's host is down", kAt + hours{1}, kAt};
  EXPECT_TRUE(world.of(Gate::kPreDeploy, "load-test", {waiver}).counts_as_passed());
  world.facts.now += hours{2};
  EXPECT_FALSE(world.of(Gate::kPreDeploy, "load-test", {waiver}).counts_as_passed());
}

}  // namespace
}  // namespace securebase::advisor
