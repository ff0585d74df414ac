#include "monitoring/metrics/summary.h"

namespace securebase::monitoring {

using telemetry::Buckets;

namespace {

constexpr std::ptrdiff_t kFewBuckets = 16;

}  // namespace

BucketKey bucket_key(double value) { return value < 0 ? -1 - Buckets::index(-value) : 1 + Buckets::index(value); }

double bucket_middle(BucketKey key) { return key < 0 ? -Buckets::middle(-1 - key) : Buckets::middle(key - 1); }

void Summary::spread() {
  if (count > 0 && !undistributed && buckets.empty()) buckets.push_back({bucket_key(minimum), count});
}

void Summary::add_bucket(BucketKey key, std::uint64_t times) {
  const auto at = std::lower_bound(buckets.begin(), buckets.end(), key,
                                   [](const Bucket& bucket, BucketKey wanted) { return bucket.key < wanted; });
  if (at != buckets.end() && at->key == key) {
    at->count += times;
  } else if (buckets.end() - at > kFewBuckets) {
    buckets.insert(at, Bucket{key, times});
  } else {
    // Most slots have a handful: moved one by one, which is less than a call of memmove() costs.
    const auto place = at - buckets.begin();
    buckets.push_back({key, times});
    for (auto i = static_cast<std::ptrdiff_t>(buckets.size()) - 1; i > place; --i) {
      std::swap(buckets[static_cast<std::size_t>(i)], buckets[static_cast<std::size_t>(i - 1)]);
    }
  }
}

void Summary::add(double value, std::uint64_t times) {
  if (times == 0) return;
  if (!undistributed && count > 0 && !(one_value() && value == minimum)) {
    spread();
    add_bucket(bucket_key(value), times);
  }
  count += times;
  sum += value * static_cast<double>(times);
  minimum = std::min(minimum, value);
  maximum = std::max(maximum, value);
}

void Summary::add(const Summary& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  if (undistributed || other.undistributed) {
    undistributed = true;
    buckets.clear();
  } else if (!(one_value() && other.one_value() && minimum == other.minimum)) {
    spread();
    if (other.buckets.empty()) {
      add_bucket(bucket_key(other.minimum), other.count);
    } else {
      std::vector<Bucket> merged;
      merged.reserve(buckets.size() + other.buckets.size());
      auto mine = buckets.begin();
      auto theirs = other.buckets.begin();
      while (mine != buckets.end() && theirs != other.buckets.end()) {
        if (mine->key < theirs->key) {
          merged.push_back(*mine++);
        } else if (theirs->key < mine->key) {
          merged.push_back(*theirs++);
        } else {
          merged.push_back({mine->key, mine->count + theirs->count});
          ++mine;
          ++theirs;
        }
      }
      merged.insert(merged.end(), mine, buckets.end());
      merged.insert(merged.end(), theirs, other.buckets.end());
      buckets = std::move(merged);
    }
  }
  count += other.count;
  sum += other.sum;
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
}

void Summary::clear() {
  count = 0;
  sum = 0;
  minimum = std::numeric_limits<double>::infinity();
  maximum = -std::numeric_limits<double>::infinity();
  undistributed = false;
  buckets.clear();
}

Summary Summary::of(const telemetry::Sketch& sketch) {
  Summary made;
  if (sketch.count() == 0) return made;
  made.count = sketch.count();
  made.sum = sketch.sum();
  made.minimum = sketch.minimum().value_or(0);
  made.maximum = sketch.maximum().value_or(0);
  if (made.one_value()) return made;
  made.buckets.reserve(sketch.buckets().size());
  for (const auto& bucket : sketch.buckets()) made.buckets.push_back({bucket.index + 1, bucket.count});
  return made;
}

Summary Summary::of_set(std::uint64_t count, double sum, double minimum, double maximum) {
  Summary made;
  made.count = count;
  made.sum = sum;
  made.minimum = minimum;
  made.maximum = maximum;
  made.undistributed = minimum != maximum;
  return made;
}

}  // namespace securebase::monitoring
