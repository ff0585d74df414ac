// Durations counted in sixteen buckets to an octave: a percentile is within 3.2 % of the true value. Small enough to be
// kept for every hop of every route, and to be added up over any time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "traces/record/bytes.h"

namespace securebase::traces {

using std::chrono::nanoseconds;

// How durations map to buckets. Negative ones count as 0.
std::uint16_t bucket_of(nanoseconds duration);
nanoseconds middle_of(std::uint16_t bucket);

class Histogram {
 public:
  struct Bucket {
    std::uint16_t index;
    std::uint64_t count;
    bool operator==(const Bucket&) const = default;
  };

  void add(nanoseconds duration, std::uint64_t times = 1) { add_bucket(bucket_of(duration), times); }
  void add_bucket(std::uint16_t index, std::uint64_t times);
  void merge(const Histogram& other);
  std::uint64_t count() const { return count_; }
  // The middle of the bucket that holds it; 0 when empty.
  nanoseconds percentile(double percent) const;
  // In rising order of index, none with count 0.
  const std::vector<Bucket>& buckets() const { return buckets_; }

  void encode(std::string& out) const;
  static Histogram decode(Bytes& in);  // in.bad() when it is none

 private:
  std::vector<Bucket> buckets_;
  std::uint64_t count_ = 0;
};

}  // namespace securebase::traces
