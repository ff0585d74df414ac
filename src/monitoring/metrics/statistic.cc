#include "monitoring/metrics/statistic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace securebase::monitoring {

namespace {

constexpr std::size_t kLongest = 64;
using Kind = Statistic::Kind;

Error no_statistic(std::string_view text, std::string_view reason) {
  return Error{Errc::kMalformed,
               fmt::format("\"{}\" is no statistic: {}; a statistic is SampleCount, Sum, Average, Minimum, Maximum, "
                           "p0 to p100, tm, wm, tc or ts with a number (tm90), TM, WM, TC or TS with a range "
                           "(TM(10%:90%), TS(80:500)), IQM, or PR with a range of values (PR(:300))",
                           text.substr(0, kLongest), reason)};
}

// Digits with at most one point and at most ten digits after it; no sign unless `sign`, no exponent.
std::optional<double> parse_number(std::string_view text, bool sign) {
  std::string_view digits = text;
  const bool negative = sign && digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  const auto point = digits.find('.');
  const auto whole = digits.substr(0, point);
  const auto fraction = point == std::string_view::npos ? std::string_view{} : digits.substr(point + 1);
  const auto all_digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) return std::nullopt;
  if (point != std::string_view::npos && (fraction.empty() || fraction.size() > 10)) return std::nullopt;
  return std::strtod(std::string(text).c_str(), nullptr);  // at most 64 characters of digits: finite
}

std::optional<double> parse_percent(std::string_view text) {
  const auto number = parse_number(text, false);
  return number && *number <= 100 ? number : std::nullopt;
}

Result<Statistic> parse_range(std::string_view text, Kind kind, std::string_view range) {
  if (!range.ends_with(')')) return no_statistic(text, "its range does not end in ')'");
  range.remove_suffix(1);
  const auto colon = range.find(':');
  if (colon == std::string_view::npos) return no_statistic(text, "its range has no ':'");
  std::string_view low = range.substr(0, colon);
  std::string_view high = range.substr(colon + 1);
  if (low.empty() && high.empty()) return no_statistic(text, "both ends of its range are open");
  const bool by_rank = low.ends_with('%') || high.ends_with('%');
  if (by_rank && kind == Kind::kPercentileRank) return no_statistic(text, "PR takes values, not per cent");
  Statistic made{kind, by_rank, std::nullopt, std::nullopt};
  for (const auto& [end, bound] : {std::pair{&low, &made.lower}, std::pair{&high, &made.upper}}) {
    if (end->empty()) continue;
    if (by_rank) {
      if (!end->ends_with('%')) return no_statistic(text, "one end of its range is in per cent and the other is not");
      end->remove_suffix(1);
    }
    *bound = by_rank ? parse_percent(*end) : parse_number(*end, true);
    if (!*bound) {
      return no_statistic(
          text, by_rank ? "an end of its range is not a number from 0 to 100" : "an end of its range is not a number");
    }
  }
  if (made.lower && made.upper && *made.lower >= *made.upper) {
    return no_statistic(text, "the lower end of its range is not below the upper one");
  }
  return made;
}

// The range of ranks or of values, as a walk over rising samples needs it.
struct Share {
  double below = 0;   // samples under the range, by number
  double inside = 0;  // in it
  double inside_sum = 0;
  double above = 0;
  double lower_edge = 0;  // what the samples below are moved to, by WM
  double upper_edge = 0;
};

Share share_by_rank(const Statistic& statistic, const Accumulator& samples) {
  const auto total = static_cast<double>(samples.count());
  const double from = statistic.lower.value_or(0) / 100 * total;
  const double to = statistic.upper.value_or(100) / 100 * total;
  Share share;
  share.lower_edge = share.upper_edge = samples.maximum();
  bool entered = false;
  double before = 0;
  samples.each_rising([&](double value, std::uint64_t count) {
    const double after = before + static_cast<double>(count);
    const double inside = std::min(after, to) - std::max(before, from);
    share.below += std::max(0.0, std::min(after, from) - before);
    share.above += std::max(0.0, after - std::max(before, to));
    if (inside > 0) {
      share.inside += inside;
      share.inside_sum += inside * value;
      if (!entered) share.lower_edge = value;
      share.upper_edge = value;
      entered = true;
    }
    before = after;
    return true;
  });
  return share;
}

Share share_by_value(const Statistic& statistic, const Accumulator& samples) {
  // Whole buckets lie inside or outside: the lower edge's is out, the upper edge's is in.
  const BucketKey above_key = statistic.lower ? bucket_key(*statistic.lower) : -kHighestKey - 1;
  const BucketKey last_key = statistic.upper ? bucket_key(*statistic.upper) : kHighestKey;
  Share share;
  share.lower_edge = statistic.lower.value_or(samples.minimum());
  share.upper_edge = statistic.upper.value_or(samples.maximum());
  samples.each_rising([&](double value, std::uint64_t count) {
    const BucketKey key = bucket_key(value);
    const auto number = static_cast<double>(count);
    if (key <= above_key && !(statistic.lower && samples.minimum() > *statistic.lower)) {
      share.below += number;
    } else if (key > last_key && !(statistic.upper && samples.maximum() <= *statistic.upper)) {
      share.above += number;
    } else {
      share.inside += number;
      share.inside_sum += number * value;
    }
    return true;
  });
  return share;
}

double percentile(double percent, const Accumulator& samples) {
  const auto total = static_cast<double>(samples.count());
  // p10 of 30 samples is the third: 30 * (10 / 100) may come out a little above 3.
  const double rank = std::ceil(percent / 100 * total * (1 - 1e-14));
  if (rank <= 0 || percent <= 0) return samples.minimum();
  if (rank >= total) return samples.maximum();
  double result = samples.maximum();
  if (percent > 50) {
    double from_top = total;
    samples.each_falling([&](double value, std::uint64_t count) {
      result = value;
      from_top -= static_cast<double>(count);
      return from_top >= rank;
    });
  } else {
    double seen = 0;
    samples.each_rising([&](double value, std::uint64_t count) {
      result = value;
      seen += static_cast<double>(count);
      return seen < rank;
    });
  }
  return result;
}

std::optional<double> of_range(const Statistic& statistic, const Accumulator& samples) {
  Share share = statistic.by_rank ? share_by_rank(statistic, samples) : share_by_value(statistic, samples);
  // Where the range leaves nothing out the exact sum is known.
  if (share.below == 0 && share.above == 0) share.inside_sum = samples.sum();
  switch (statistic.kind) {
    case Kind::kTrimmedMean:
      if (share.inside <= 0) return std::nullopt;
      return share.inside_sum / share.inside;
    case Kind::kWinsorizedMean:
      return (share.inside_sum + share.below * share.lower_edge + share.above * share.upper_edge) /
             static_cast<double>(samples.count());
    case Kind::kPercentileRank:
      return 100 * share.inside / static_cast<double>(samples.count());
    case Kind::kTrimmedCount:
      return share.inside;
    case Kind::kTrimmedSum:
      return share.inside_sum;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<Statistic> parse_statistic(std::string_view text) {
  if (text.size() > kLongest) return no_statistic(text, "it is longer than 64 characters");
  static constexpr std::pair<std::string_view, Kind> kPlain[] = {{"SampleCount", Kind::kSampleCount},
                                                                 {"Sum", Kind::kSum},
                                                                 {"Average", Kind::kAverage},
                                                                 {"Minimum", Kind::kMinimum},
                                                                 {"Maximum", Kind::kMaximum}};
  for (const auto& [word, kind] : kPlain) {
    if (text == word) return Statistic{kind};
  }
  if (text == "IQM") return Statistic{Kind::kTrimmedMean, true, 25, 75};
  struct Family {
    std::string_view number;  // tm90
    std::string_view range;   // TM(
    Kind kind;
  };
  static constexpr Family kFamilies[] = {{"tm", "TM(", Kind::kTrimmedMean},
                                         {"wm", "WM(", Kind::kWinsorizedMean},
                                         {"tc", "TC(", Kind::kTrimmedCount},
                                         {"ts", "TS(", Kind::kTrimmedSum},
                                         {"", "PR(", Kind::kPercentileRank}};
  for (const auto& family : kFamilies) {
    if (text.starts_with(family.range)) return parse_range(text, family.kind, text.substr(family.range.size()));
    if (!family.number.empty() && text.starts_with(family.number)) {
      const auto percent = parse_percent(text.substr(family.number.size()));
      if (!percent) return no_statistic(text, "what follows is not a number from 0 to 100 with up to ten decimals");
      return Statistic{family.kind, true, std::nullopt, percent};
    }
  }
  if (text.starts_with('p')) {
    const auto percent = parse_percent(text.substr(1));
    if (!percent) return no_statistic(text, "what follows p is not a number from 0 to 100 with up to ten decimals");
    return Statistic{Kind::kPercentile, true, std::nullopt, percent};
  }
  return no_statistic(text, "the word is not known");
}

std::optional<double> evaluate(const Statistic& statistic, const Accumulator& samples) {
  if (samples.count() == 0) return std::nullopt;
  if (statistic.needs_distribution() && !samples.distributed()) return std::nullopt;
  switch (statistic.kind) {
    case Kind::kSampleCount:
      return static_cast<double>(samples.count());
    case Kind::kSum:
      return samples.sum();
    case Kind::kAverage:
      return samples.sum() / static_cast<double>(samples.count());
    case Kind::kMinimum:
      return samples.minimum();
    case Kind::kMaximum:
      return samples.maximum();
    case Kind::kPercentile:
      return percentile(statistic.upper.value_or(100), samples);
    default:
      return of_range(statistic, samples);
  }
}

}  // namespace securebase::monitoring
