// A mergeable log-linear histogram: any percentile of all samples, within 0.79 % of the true value, whatever was merged
// in which order. Percentiles are never averaged: sketches are merged, and the percentile is taken of the sum.
//
// Every power of two is cut into 64 equal buckets, as in HdrHistogram; a bucket's middle is at most 1/128 of its lower
// bound away from any of its samples. Values below 2^-32 count as zero, from 2^63 on they are held in the last bucket.
// A value type; not for two threads at once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace securebase::telemetry {

// How values map to buckets; recording cells (metrics.h) use the same.
struct Buckets {
  static constexpr int kPerOctave = 64;
  static constexpr int kLowestExponent = -32;
  static constexpr int kHighestExponent = 62;
  static constexpr int kOctaves = kHighestExponent - kLowestExponent + 1;

  // -1 for zero and everything too small to tell from it; negative values and NaN too.
  static int index(double value);
  static double middle(int index);
  static double lower_bound(int index);
};

class Sketch {
 public:
  struct Bucket {
    std::int32_t index;  // as Buckets::index
    std::uint64_t count;
    bool operator==(const Bucket&) const = default;
  };

  void add(double value, std::uint64_t times = 1);
  void add_bucket(int index, std::uint64_t times);  // without touching sum, minimum and maximum
  void add_totals(double sum, double minimum, double maximum);
  void merge(const Sketch& other);
  // What came after `earlier`, a former state of this sketch: count and sum; minimum and maximum to their buckets.
  Sketch since(const Sketch& earlier) const;
  // Makes the minimum and the maximum exact, where they lie in the lowest and the highest bucket.
  void refine(double minimum, double maximum);

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  // nullopt when empty.
  std::optional<double> minimum() const;
  std::optional<double> maximum() const;
  std::optional<double> average() const;
  // The smallest value that `percent` of the samples do not exceed; 0 gives the minimum, 100 the maximum, both exact.
  std::optional<double> percentile(double percent) const;
  // Share of the samples, 0 to 100, that do not exceed `value`.
  std::optional<double> percentile_rank(double value) const;

  // In rising order of index, none with count 0.
  const std::vector<Bucket>& buckets() const { return buckets_; }

 private:
  std::vector<Bucket> buckets_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double minimum_ = 0;
  double maximum_ = 0;
  bool ranged_ = false;  // minimum_ and maximum_ hold something
};

}  // namespace securebase::telemetry
