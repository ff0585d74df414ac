// What is known of the samples of one metric in one slot of time: count, sum, minimum and maximum exactly, and where
// the samples lie as a log-linear histogram (telemetry/sketch.h) with a negative side. Summaries add up: of seconds to
// minutes, of flushes to segments, of hours to a day, in any order, with the same result; so a percentile is always
// taken of all samples, never of percentiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "telemetry/sketch.h"

namespace securebase::monitoring {

// The place of a value among the buckets of both signs: 0 for zero and what is too small to tell from it, 1 + n for
// telemetry's bucket n, -1 - n for its mirror. Rises with the value.
using BucketKey = std::int32_t;
inline constexpr BucketKey kHighestKey = telemetry::Buckets::kOctaves * telemetry::Buckets::kPerOctave;
BucketKey bucket_key(double value);
// Of a bucket's values, at most 0.79 % from any.
double bucket_middle(BucketKey key);

struct Summary {
  struct Bucket {
    BucketKey key = 0;
    std::uint64_t count = 0;
    bool operator==(const Bucket&) const = default;
  };

  std::uint64_t count = 0;
  double sum = 0;
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();
  // Somebody gave count, sum, minimum and maximum only (a statistic set): there is no histogram.
  bool undistributed = false;
  // Rising keys, no count 0. Empty when undistributed, and while all samples have one value, which minimum is.
  std::vector<Bucket> buckets;

  bool one_value() const { return minimum == maximum; }

  // `value` is finite.
  void add(double value, std::uint64_t times = 1);
  void add(const Summary& other);
  // Empty again; the buckets keep their memory.
  void clear();

  static Summary of(const telemetry::Sketch& sketch);
  // A statistic set, of which a single value is known when it cannot be otherwise.
  static Summary of_set(std::uint64_t count, double sum, double minimum, double maximum);

  bool operator==(const Summary&) const = default;

 private:
  void spread();  // gives the one value its bucket
  void add_bucket(BucketKey key, std::uint64_t times);
};

}  // namespace securebase::monitoring
