#include "load/scenarios/usl.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

namespace securebase::load {

namespace {

constexpr std::size_t kTerms = 3;
using Row = std::array<double, kTerms>;

// Least squares of y on the terms that are `used`, each row weighted; the others are 0. By the normal equations with
// elimination: three unknowns.
std::optional<Row> solve(const std::vector<Row>& rows, const std::vector<double>& y, const std::vector<double>& weights,
                         const std::array<bool, kTerms>& used) {
  std::array<std::array<double, kTerms + 1>, kTerms> matrix{};
  for (std::size_t i = 0; i < kTerms; ++i) {
    if (!used[i]) {
      matrix[i][i] = 1;
      continue;
    }
    for (std::size_t row = 0; row < rows.size(); ++row) {
      for (std::size_t j = 0; j < kTerms; ++j) {
        if (used[j]) matrix[i][j] += weights[row] * rows[row][i] * rows[row][j];
      }
      matrix[i][kTerms] += weights[row] * rows[row][i] * y[row];
    }
  }
  Row scale;
  for (std::size_t i = 0; i < kTerms; ++i) scale[i] = matrix[i][i];
  for (std::size_t column = 0; column < kTerms; ++column) {
    std::size_t pivot = column;
    for (std::size_t i = column; i < kTerms; ++i) {
      if (std::abs(matrix[i][column]) > std::abs(matrix[pivot][column])) pivot = i;
    }
    // What is left of it is rounding: the terms cannot be told apart.
    if (!(std::abs(matrix[pivot][column]) > 1e-12 * scale[column])) return std::nullopt;
    std::swap(matrix[pivot], matrix[column]);
    for (std::size_t i = 0; i < kTerms; ++i) {
      if (i == column) continue;
      const double factor = matrix[i][column] / matrix[column][column];
      for (std::size_t j = column; j <= kTerms; ++j) matrix[i][j] -= factor * matrix[column][j];
    }
  }
  Row solution;
  for (std::size_t i = 0; i < kTerms; ++i) solution[i] = matrix[i][kTerms] / matrix[i][i];
  return solution;
}

}  // namespace

double ScalabilityLaw::at(double users) const {
  return lambda * users / (1 + sigma * (users - 1) + kappa * users * (users - 1));
}

std::optional<double> ScalabilityLaw::peak_users() const {
  if (kappa <= 0) return std::nullopt;
  return std::max(1.0, std::sqrt(std::max(0.0, 1 - sigma) / kappa));
}

double ScalabilityLaw::most() const {
  if (const auto peak = peak_users()) return at(*peak);
  return sigma > 0 ? lambda / sigma : std::numeric_limits<double>::infinity();
}

double ScalabilityLaw::knee_users() const { return lambda > 0 ? most() / lambda : 0; }

// users / throughput = (1 + sigma (N - 1) + kappa N (N - 1)) / lambda is linear in its three terms. Rows are weighted
// so that errors count relative to the throughput. Coefficients below zero have no meaning: the best fit without them.
std::optional<ScalabilityLaw> fit_scalability(const std::vector<Load>& loads) {
  std::vector<Row> rows;
  std::vector<double> y;
  std::vector<double> weights;
  for (const auto& load : loads) {
    if (!(load.throughput > 0) || !(load.users >= 1) || !std::isfinite(load.users / load.throughput)) continue;
    const double inverse = load.users / load.throughput;
    rows.push_back({1, load.users - 1, load.users * (load.users - 1)});
    y.push_back(inverse);
    weights.push_back(1 / (inverse * inverse));
  }
  std::set<double> numbers_of_users;
  for (const auto& row : rows) numbers_of_users.insert(row[1]);
  if (numbers_of_users.size() < 4) return std::nullopt;
  std::optional<Row> best;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& used :
       {std::array{true, true, true}, {true, true, false}, {true, false, true}, {true, false, false}}) {
    const auto found = solve(rows, y, weights, used);
    if (!found || (*found)[0] <= 0 || (*found)[1] < 0 || (*found)[2] < 0) continue;
    double error = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double fitted = 0;
      for (std::size_t j = 0; j < kTerms; ++j) fitted += (*found)[j] * rows[i][j];
      error += weights[i] * (fitted - y[i]) * (fitted - y[i]);
    }
    if (error < least) {
      least = error;
      best = found;
    }
  }
  if (!best) return std::nullopt;
  ScalabilityLaw law;
  law.lambda = 1 / (*best)[0];
  law.sigma = (*best)[1] * law.lambda;
  law.kappa = (*best)[2] * law.lambda;
  double mean = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) mean += (rows[i][1] + 1) / y[i] / static_cast<double>(rows.size());
  double residual = 0;
  double total = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double throughput = (rows[i][1] + 1) / y[i];
    residual += std::pow(throughput - law.at(rows[i][1] + 1), 2);
    total += std::pow(throughput - mean, 2);
  }
  // Of throughputs that are all the same nothing is left to be explained but rounding.
  const bool flat = total <= 1e-9 * mean * mean * static_cast<double>(rows.size());
  law.r_squared = flat ? 1 : 1 - residual / total;
  return law;
}

}  // namespace securebase::load
