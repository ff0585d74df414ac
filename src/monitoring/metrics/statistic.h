// CloudWatch's statistics (CloudWatch user guide, "CloudWatch statistics definitions"): the words, and what they mean
// for samples whose distribution is known.
//
//   SampleCount Sum Average Minimum Maximum          of any samples
//   p95 p99.9 p99.9999999999                         what that share of the samples does not exceed
//   tm90 TM(10%:90%) TM(:80%) TM(150:1000)           mean of the samples in the range
//   wm98 WM(10%:90%) WM(80:)                         mean, with what lies outside of the range moved to its edge
//   IQM                                              TM(25%:75%)
//   PR(:300) PR(100:2000)                            per cent of the samples in the range of values
//   tc90 TC(0.005:0.030) ts80 TS(80%:)               number, and sum, of the samples in the range
//
// A range in per cent is one of ranks: TM(10%:90%) of five samples counts the first and the last of them by half. A
// range of values leaves its lower edge out and has its upper edge in; an open end is no bound. Values of one bucket
// (0.79 % around its middle) fall on the same side of an edge; whole numbers below 128 have a bucket each.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "monitoring/metrics/accumulator.h"

namespace securebase::monitoring {

struct Statistic {
  enum class Kind {
    kSampleCount,
    kSum,
    kAverage,
    kMinimum,
    kMaximum,
    kPercentile,
    kTrimmedMean,
    kWinsorizedMean,
    kPercentileRank,
    kTrimmedCount,
    kTrimmedSum,
  };
  Kind kind = Kind::kAverage;
  bool by_rank = false;         // the range is in per cent
  std::optional<double> lower;  // nullopt: open
  std::optional<double> upper;  // of a percentile: which

  bool needs_distribution() const { return kind >= Kind::kPercentile; }
  bool operator==(const Statistic&) const = default;
};

// kMalformed names what came and what would do. At most 64 characters.
Result<Statistic> parse_statistic(std::string_view text);

// nullopt: no samples; or the statistic needs to know how they lie, and some came as a statistic set.
std::optional<double> evaluate(const Statistic& statistic, const Accumulator& samples);

}  // namespace securebase::monitoring
