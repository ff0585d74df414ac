#include "load/scenarios/slope.h"

#include <algorithm>
#include <cmath>

namespace securebase::load {

namespace {

constexpr std::size_t kFewestBlocks = 8;
constexpr std::size_t kMostBlocks = 20;

// Student's t for 99 %, two-sided, by degrees of freedom; beyond the table the next lower one, which is wider.
double student_99(std::size_t freedom) {
  constexpr double kTable[] = {0,     63.66, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250,
                               3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878};
  return kTable[std::min(freedom, std::size(kTable) - 1)];
}

}  // namespace

std::optional<Slope> slope_of(const std::vector<Level>& levels) {
  const std::size_t blocks = std::min(kMostBlocks, levels.size());
  if (blocks < kFewestBlocks) return std::nullopt;
  std::vector<Level> means(blocks);
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::size_t begin = i * levels.size() / blocks;
    const std::size_t end = (i + 1) * levels.size() / blocks;
    for (std::size_t j = begin; j < end; ++j) {
      means[i].hours += levels[j].hours / static_cast<double>(end - begin);
      means[i].value += levels[j].value / static_cast<double>(end - begin);
    }
  }
  const auto count = static_cast<double>(blocks);
  double mean_x = 0;
  double mean_y = 0;
  for (const auto& mean : means) {
    mean_x += mean.hours / count;
    mean_y += mean.value / count;
  }
  double xx = 0;
  double xy = 0;
  for (const auto& mean : means) {
    xx += (mean.hours - mean_x) * (mean.hours - mean_x);
    xy += (mean.hours - mean_x) * (mean.value - mean_y);
  }
  if (xx <= 0) return std::nullopt;
  Slope slope;
  slope.blocks = blocks;
  slope.hours = levels.back().hours - levels.front().hours;
  slope.an_hour = xy / xx;
  slope.level = mean_y + slope.an_hour * (means.front().hours - mean_x);
  double residual = 0;
  for (const auto& mean : means) residual += std::pow(mean.value - mean_y - slope.an_hour * (mean.hours - mean_x), 2);
  const double half = student_99(blocks - 2) * std::sqrt(residual / (count - 2) / xx);
  slope.low = slope.an_hour - half;
  slope.high = slope.an_hour + half;
  return slope;
}

}  // namespace securebase::load
