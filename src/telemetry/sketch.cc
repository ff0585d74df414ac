#include "telemetry/sketch.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace securebase::telemetry {

int Buckets::index(double value) {
  if (!(value > 0)) return -1;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int exponent = static_cast<int>(bits >> 52) - 1023;
  if (exponent < kLowestExponent) return -1;
  if (exponent > kHighestExponent) return kOctaves * kPerOctave - 1;
  return (exponent - kLowestExponent) * kPerOctave + static_cast<int>((bits >> 46) & 63);
}

namespace {

// A double whose first six bits behind the point are the bucket's: what index() took apart, put together again.
double from_index(int index, std::uint64_t rest) {
  const auto exponent = static_cast<std::uint64_t>(index / Buckets::kPerOctave + Buckets::kLowestExponent + 1023);
  const auto place = static_cast<std::uint64_t>(index % Buckets::kPerOctave);
  return std::bit_cast<double>(exponent << 52 | place << 46 | rest);
}

}  // namespace

double Buckets::lower_bound(int index) { return index < 0 ? 0 : from_index(index, 0); }

double Buckets::middle(int index) { return index < 0 ? 0 : from_index(index, std::uint64_t{1} << 45); }

void Sketch::add(double value, std::uint64_t times) {
  if (times == 0 || std::isnan(value)) return;
  add_bucket(Buckets::index(value), times);
  add_totals(value * static_cast<double>(times), value, value);
}

void Sketch::add_bucket(int index, std::uint64_t times) {
  if (times == 0) return;
  count_ += times;
  const auto at = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                                   [](const Bucket& bucket, int wanted) { return bucket.index < wanted; });
  if (at != buckets_.end() && at->index == index) {
    at->count += times;
  } else {
    buckets_.insert(at, Bucket{index, times});
  }
}

void Sketch::add_totals(double sum, double minimum, double maximum) {
  sum_ += sum;
  minimum_ = ranged_ ? std::min(minimum_, minimum) : minimum;
  maximum_ = ranged_ ? std::max(maximum_, maximum) : maximum;
  ranged_ = true;
}

void Sketch::merge(const Sketch& other) {
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto mine = buckets_.begin();
  auto theirs = other.buckets_.begin();
  while (mine != buckets_.end() || theirs != other.buckets_.end()) {
    if (theirs == other.buckets_.end() || (mine != buckets_.end() && mine->index < theirs->index)) {
      merged.push_back(*mine++);
    } else if (mine == buckets_.end() || theirs->index < mine->index) {
      merged.push_back(*theirs++);
    } else {
      merged.push_back({mine->index, mine->count + theirs->count});
      ++mine;
      ++theirs;
    }
  }
  buckets_ = std::move(merged);
  count_ += other.count_;
  if (other.ranged_) add_totals(other.sum_, other.minimum_, other.maximum_);
}

Sketch Sketch::since(const Sketch& earlier) const {
  Sketch later;
  auto theirs = earlier.buckets_.begin();
  for (const auto& bucket : buckets_) {
    while (theirs != earlier.buckets_.end() && theirs->index < bucket.index) ++theirs;
    const bool both = theirs != earlier.buckets_.end() && theirs->index == bucket.index;
    const std::uint64_t before = both ? theirs->count : 0;
    if (bucket.count <= before) continue;
    later.buckets_.push_back({bucket.index, bucket.count - before});
    later.count_ += bucket.count - before;
  }
  if (later.count_ == 0) return later;
  later.add_totals(sum_ - earlier.sum_, Buckets::middle(later.buckets_.front().index),
                   Buckets::middle(later.buckets_.back().index));
  return later;
}

void Sketch::refine(double minimum, double maximum) {
  if (buckets_.empty()) return;
  if (Buckets::index(minimum) == buckets_.front().index) minimum_ = minimum;
  if (Buckets::index(maximum) == buckets_.back().index) maximum_ = maximum;
}

std::optional<double> Sketch::minimum() const { return ranged_ ? std::optional(minimum_) : std::nullopt; }
std::optional<double> Sketch::maximum() const { return ranged_ ? std::optional(maximum_) : std::nullopt; }

std::optional<double> Sketch::average() const {
  if (count_ == 0) return std::nullopt;
  return sum_ / static_cast<double>(count_);
}

std::optional<double> Sketch::percentile(double percent) const {
  if (count_ == 0) return std::nullopt;
  if (percent <= 0) return minimum_;
  const auto rank = static_cast<std::uint64_t>(std::ceil(std::min(percent, 100.0) / 100 * static_cast<double>(count_)));
  if (rank >= count_) return maximum_;
  std::uint64_t seen = 0;
  for (const auto& bucket : buckets_) {
    seen += bucket.count;
    if (seen >= rank) return std::clamp(Buckets::middle(bucket.index), minimum_, maximum_);
  }
  return maximum_;
}

std::optional<double> Sketch::percentile_rank(double value) const {
  if (count_ == 0) return std::nullopt;
  const int limit = Buckets::index(value);
  std::uint64_t below = 0;
  for (const auto& bucket : buckets_) {
    if (bucket.index > limit) break;
    below += bucket.count;
  }
  return 100.0 * static_cast<double>(below) / static_cast<double>(count_);
}

}  // namespace securebase::telemetry
