#include "monitoring/alarms/judge.h"

#include <algorithm>
#include <charconv>

namespace securebase::monitoring {

Judgement judge(const std::vector<JudgedPeriod>& slots, int n, int m, MissingData missing) {
  Judgement made;
  int breaching_all = 0;
  bool good = false;
  std::vector<std::size_t> real;  // newest first
  std::size_t oldest_breaching = 0;
  for (std::size_t i = slots.size(); i-- > 0;) {
    if (slots[i].mark == Mark::kMissing) continue;
    real.push_back(i);
    if (slots[i].mark == Mark::kGood) good = true;
    if (slots[i].mark == Mark::kBreaching) {
      ++breaching_all;
      oldest_breaching = i;
    }
  }
  const auto wanted = static_cast<std::size_t>(n);
  made.judged.assign(real.begin(), real.begin() + static_cast<std::ptrdiff_t>(std::min(real.size(), wanted)));
  if (real.size() >= wanted) {
    const auto breaching = std::count_if(made.judged.begin(), made.judged.end(),
                                         [&](std::size_t i) { return slots[i].mark == Mark::kBreaching; });
    made.state = breaching >= m ? AlarmState::kAlarm : AlarmState::kOk;
    return made;
  }
  const int fill = n - static_cast<int>(real.size());
  switch (missing) {
    case MissingData::kBreaching:
      made.filled = fill;
      made.state = breaching_all + fill >= m ? AlarmState::kAlarm : AlarmState::kOk;
      break;
    case MissingData::kNotBreaching:
      made.filled = fill;
      made.state = breaching_all >= m ? AlarmState::kAlarm : AlarmState::kOk;
      break;
    case MissingData::kIgnore:
      if (breaching_all >= m) {
        made.state = AlarmState::kAlarm;
      } else if (good) {
        made.state = AlarmState::kOk;
      }
      break;
    case MissingData::kMissing:
      if (breaching_all >= m) {
        made.state = AlarmState::kAlarm;
      } else if (real.empty()) {
        made.state = AlarmState::kInsufficientData;
      } else if (good) {
        made.state = AlarmState::kOk;
      } else if (static_cast<int>(slots.size() - oldest_breaching) >= m) {
        made.state = AlarmState::kAlarm;
      }
      // Else the next point may be fine: it stays as it is.
      break;
  }
  return made;
}

bool breaches(Comparison comparison, double value, double lower, double upper) {
  switch (comparison) {
    case Comparison::kGreaterThanOrEqualToThreshold:
      return value >= upper;
    case Comparison::kGreaterThanThreshold:
      return value > upper;
    case Comparison::kLessThanThreshold:
      return value < lower;
    case Comparison::kLessThanOrEqualToThreshold:
      return value <= lower;
    case Comparison::kLessThanLowerOrGreaterThanUpperThreshold:
      return value < lower || value > upper;
    case Comparison::kLessThanLowerThreshold:
      return value < lower;
    case Comparison::kGreaterThanUpperThreshold:
      return value > upper;
  }
  return false;
}

std::optional<double> samples_needed(std::string_view stat) {
  if (stat.size() < 2 || stat[0] != 'p') return std::nullopt;
  double percent = 0;
  const auto [end, failure] = std::from_chars(stat.data() + 1, stat.data() + stat.size(), percent);
  if (failure != std::errc{} || end != stat.data() + stat.size()) return std::nullopt;
  const double share = percent / 100;
  if (share <= 0 || share >= 1) return 1;
  return share >= 0.5 ? 10 / (1 - share) : 10 / share;
}

}  // namespace securebase::monitoring
