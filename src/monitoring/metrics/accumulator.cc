#include "monitoring/metrics/accumulator.h"

#include <algorithm>

namespace securebase::monitoring {

Accumulator::Accumulator() : counts_(kPlaces), used_(kPlaces / 64 + 1) {}

void Accumulator::add(const Summary& summary) {
  if (summary.count == 0) return;
  const auto add = [this](BucketKey key, std::uint64_t times) {
    const auto place = static_cast<std::size_t>(std::ptrdiff_t{key} + kHighestKey);
    counts_[place] += times;
    used_[place / 64] |= std::uint64_t{1} << (place % 64);
  };
  if (summary.undistributed) {
    undistributed_ = true;
  } else if (summary.buckets.empty()) {
    add(bucket_key(summary.minimum), summary.count);
  } else {
    for (const auto& bucket : summary.buckets) add(bucket.key, bucket.count);
  }
  minimum_ = count_ == 0 ? summary.minimum : std::min(minimum_, summary.minimum);
  maximum_ = count_ == 0 ? summary.maximum : std::max(maximum_, summary.maximum);
  count_ += summary.count;
  sum_ += summary.sum;
}

void Accumulator::clear() {
  if (count_ > 0) {
    for (std::size_t word = place_of(minimum_) / 64, last = place_of(maximum_) / 64; word <= last; ++word) {
      for (std::uint64_t bits = used_[word]; bits != 0; bits &= bits - 1) {
        counts_[word * 64 + static_cast<std::size_t>(__builtin_ctzll(bits))] = 0;
      }
      used_[word] = 0;
    }
  }
  count_ = 0;
  sum_ = 0;
  undistributed_ = false;
}

double Accumulator::value_at(std::size_t place) const {
  const auto key = static_cast<BucketKey>(place) - kHighestKey;
  return std::clamp(bucket_middle(key), minimum_, maximum_);
}

}  // namespace securebase::monitoring
