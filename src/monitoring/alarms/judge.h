// Whether points mean ALARM, OK or INSUFFICIENT_DATA: M out of N with missing data, as CloudWatch's tables publish it
// (user guide, "Configuring how CloudWatch alarms treat missing data"). The evaluation range is N + 2 periods: that
// reproduces every row of both tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "monitoring/alarms.h"

namespace securebase::monitoring {

inline constexpr int kMorePeriods = 2;  // than N are looked at

enum class Mark : char { kMissing, kGood, kBreaching };

// One period, oldest first in a vector of N + kMorePeriods.
struct JudgedPeriod {
  Mark mark = Mark::kMissing;
  base::TimePoint start;
  double value = 0;
  std::uint64_t samples = 0;
  double lower = 0;  // of the band, where there is one
  double upper = 0;
};

struct Judgement {
  std::optional<AlarmState> state;  // nullopt: it stays as it is
  // The points it was judged by, newest first: places in the slots.
  std::vector<std::size_t> judged;
  int filled = 0;  // how many missing ones were treated as something
};

Judgement judge(const std::vector<JudgedPeriod>& slots, int n, int m, MissingData missing);

// Of a threshold or a band. `lower` and `upper` are the same for a threshold.
bool breaches(Comparison comparison, double value, double lower, double upper);

// Below this many samples in a period, a percentile is little more than the maximum (CloudWatch user guide,
// "Percentile-based CloudWatch alarms and low data samples"). nullopt: `stat` is no percentile.
std::optional<double> samples_needed(std::string_view stat);

// "131.0", "1.0E-5": as CloudWatch, which is written in Java, prints numbers.
std::string java_double(double value);

struct Reason {
  std::string text;
  std::string data;  // JSON
};
// For the state that `judgement` gives.
Reason reason_of(const MetricRule& rule, std::chrono::seconds period, const std::vector<JudgedPeriod>& slots,
                 const Judgement& judgement, AlarmState state, double threshold, base::TimePoint now);

}  // namespace securebase::monitoring
