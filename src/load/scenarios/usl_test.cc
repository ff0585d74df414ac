#include <gtest/gtest.h>

#include <cmath>

#include "load/scenarios/usl.h"

namespace securebase::load {
namespace {

TEST(ScalabilityLaw, IsFoundInTheThroughputsThatItMakes) {
  ScalabilityLaw truth;
  truth.lambda = 1000;
  truth.sigma = 0.05;
  truth.kappa = 0.0004;
  std::vector<Load> loads;
  for (const double users : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0}) loads.push_back({users, truth.at(users)});
  const auto law = fit_scalability(loads);
  ASSERT_TRUE(law);
  EXPECT_NEAR(law->lambda, 1000, 1);
  EXPECT_NEAR(law->sigma, 0.05, 1e-4);
  EXPECT_NEAR(law->kappa, 0.0004, 1e-6);
  EXPECT_NEAR(*law->peak_users(), std::sqrt(0.95 / 0.0004), 0.5);
  EXPECT_NEAR(law->r_squared, 1, 1e-6);
}

TEST(ScalabilityLaw, HasNoCoefficientBelowZero) {
  std::vector<Load> loads;
  for (const double users : {1.0, 2.0, 4.0, 8.0, 16.0}) loads.push_back({users, users * 10 + std::sin(users)});
  const auto law = fit_scalability(loads);
  ASSERT_TRUE(law);
  EXPECT_GE(law->sigma, 0);
  EXPECT_GE(law->kappa, 0);
  EXPECT_FALSE(fit_scalability({{1, 1}, {2, 2}, {3, 3}}));
}

TEST(ScalabilityLaw, NeedsFourNumbersOfUsersThatDiffer) {
  EXPECT_FALSE(fit_scalability({}));
  EXPECT_FALSE(fit_scalability({{10, 100}, {10, 101}, {10, 99}, {10, 100}, {10, 102}}));
  EXPECT_FALSE(fit_scalability({{1, 0}, {2, 0}, {4, 0}, {8, 0}}));
  const double no_number = std::nan("");
  EXPECT_FALSE(fit_scalability({{1, 1}, {2, 2}, {3, 3}, {no_number, 4}, {4, no_number}, {0, 5}}));
}

TEST(ScalabilityLaw, OfWhatDoesNotDependOnUsersHasItsKneeAtTheFirst) {
  const auto law = fit_scalability({{10, 250}, {16, 250}, {26, 250}, {42, 250}, {1000, 250}});
  ASSERT_TRUE(law);
  EXPECT_NEAR(law->most(), 250, 1);
  EXPECT_TRUE(std::isfinite(law->knee_users()));
  EXPECT_GT(law->r_squared, -1e-9);
}

TEST(ScalabilityLaw, OfWhatGrowsInLineHasNoKnee) {
  const auto law = fit_scalability({{10, 100}, {16, 160}, {26, 260}, {42, 420}});
  ASSERT_TRUE(law);
  EXPECT_GT(law->knee_users(), 1e6);
}

}  // namespace
}  // namespace securebase::load
