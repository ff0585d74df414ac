// Does a level grow? A slope with its confidence interval. Samples that stand close in time resemble each other
// (a cache fills, a batch runs), which makes a naive interval far too narrow: they are averaged in blocks first, and
// the slope is taken over the blocks.
#pragma once

#include <optional>
#include <vector>

namespace securebase::load {

struct Slope {
  double an_hour = 0;  // growth of the level
  double low = 0;      // of the 99 % confidence interval, an hour
  double high = 0;
  double level = 0;  // at the beginning, by the line
  double hours = 0;  // that were looked at
  std::size_t blocks = 0;
  // The smallest growth an hour that this many samples could have told from none: the half of the interval.
  double smallest_detectable() const { return (high - low) / 2; }
  // Over these hours, by the line.
  double grown() const { return an_hour * hours; }
  bool grows() const { return low > 0; }
};

struct Level {
  double hours = 0;
  double value = 0;
};
// nullopt: too few samples for 8 blocks of one at least.
std::optional<Slope> slope_of(const std::vector<Level>& levels);

}  // namespace securebase::load
