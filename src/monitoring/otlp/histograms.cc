#include <algorithm>
#include <cmath>
#include <map>

#include "monitoring/otlp/intake.h"

namespace securebase::monitoring::otlp {

namespace {

class Builder {
 public:
  void add(double value, std::uint64_t times) {
    if (times == 0) return;
    buckets_[bucket_key(value)] += times;
    made_.count += times;
    made_.sum += value * static_cast<double>(times);
    made_.minimum = std::min(made_.minimum, value);
    made_.maximum = std::max(made_.maximum, value);
  }

  Summary finish(const Point& point) {
    if (made_.count == 0) return {};
    if (point.sum) made_.sum = *point.sum;
    if (point.minimum && *point.minimum < made_.minimum) made_.minimum = *point.minimum;
    if (point.maximum && *point.maximum > made_.maximum) made_.maximum = *point.maximum;
    if (made_.one_value()) {
      // All in one bucket: their mean is nearer to them than its middle.
      Summary all;
      all.add(made_.sum / static_cast<double>(made_.count), made_.count);
      return all;
    }
    for (const auto& [key, count] : buckets_) made_.buckets.push_back({key, count});
    return made_;
  }

 private:
  Summary made_;
  std::map<BucketKey, std::uint64_t> buckets_;
};

Result<Summary> of_explicit(const Point& point) {
  if (point.counts.empty()) {
    // A histogram without buckets tells count and sum only.
    if (point.count == 0 || !point.sum) return Summary{};
    if (!point.minimum || !point.maximum)
      return Error{Errc::kMalformed, "it has neither buckets nor minimum and maximum"};
    return Summary::of_set(point.count, *point.sum, *point.minimum, *point.maximum);
  }
  if (point.counts.size() != point.bounds.size() + 1 || !std::ranges::is_sorted(point.bounds) ||
      std::ranges::any_of(point.bounds, [](double bound) { return !std::isfinite(bound); })) {
    return Error{Errc::kMalformed, "its bucket counts do not fit its bounds"};
  }
  Builder builder;
  const std::size_t last = point.counts.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    const double first_bound = point.bounds.empty() ? 0 : point.bounds.front();
    const double last_bound = point.bounds.empty() ? 0 : point.bounds.back();
    double low = i == 0 ? point.minimum.value_or(std::min(first_bound, 0.0)) : point.bounds[i - 1];
    double high = i == last ? point.maximum.value_or(last_bound) : point.bounds[i];
    if (point.minimum) low = std::max(low, *point.minimum);
    if (point.maximum) high = std::min(high, *point.maximum);
    builder.add(low + (high - low) / 2, point.counts[i]);
  }
  return builder.finish(point);
}

Result<Summary> of_exponential(const Point& point) {
  if (point.scale < -10 || point.scale > 20) return Error{Errc::kMalformed, "its scale is not within -10 to 20"};
  const double per_step = std::ldexp(1.0, -point.scale);  // log2 of the base
  Builder builder;
  builder.add(0, point.zeros);
  const auto add_side = [&](std::int64_t offset, const std::vector<std::uint64_t>& counts, double sign) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      double value = std::exp2((static_cast<double>(offset) + static_cast<double>(i) + 0.5) * per_step);
      if (!std::isfinite(value)) value = 0x1p360;
      builder.add(sign * value, counts[i]);
    }
  };
  add_side(point.offset, point.counts, 1);
  add_side(point.negative_offset, point.negative_counts, -1);
  return builder.finish(point);
}

}  // namespace

Result<Summary> summary_of(const Point& point, Kind kind) {
  for (const auto& number : {point.sum, point.minimum, point.maximum}) {
    if (number && !std::isfinite(*number)) return Error{Errc::kMalformed, "its sum, minimum or maximum is not finite"};
  }
  return kind == Kind::kHistogram ? of_explicit(point) : of_exponential(point);
}

}  // namespace securebase::monitoring::otlp
