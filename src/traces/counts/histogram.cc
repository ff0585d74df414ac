#include "traces/counts/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace securebase::traces {

namespace {
constexpr int kSubBits = 4;  // sixteen buckets
constexpr std::uint16_t kBuckets = 64 << kSubBits;
}  // namespace

std::uint16_t bucket_of(nanoseconds duration) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  if (value < (1U << kSubBits)) return static_cast<std::uint16_t>(value);
  const int top = std::bit_width(value) - 1;
  const auto within = (value >> (top - kSubBits)) & ((1U << kSubBits) - 1);
  return static_cast<std::uint16_t>((static_cast<std::uint64_t>(top - kSubBits + 1) << kSubBits) + within);
}

nanoseconds middle_of(std::uint16_t bucket) {
  if (bucket < (1U << kSubBits)) return nanoseconds{bucket};
  const int shift = (bucket >> kSubBits) - 1;
  const auto low = (std::uint64_t{1} << kSubBits | (bucket & ((1U << kSubBits) - 1))) << std::min(shift, 58);
  return nanoseconds{static_cast<std::int64_t>(low + (std::uint64_t{1} << std::min(shift, 58)) / 2)};
}

void Histogram::add_bucket(std::uint16_t index, std::uint64_t times) {
  if (times == 0) return;
  count_ += times;
  auto at = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                             [](const Bucket& bucket, std::uint16_t wanted) { return bucket.index < wanted; });
  if (at != buckets_.end() && at->index == index) {
    at->count += times;
  } else {
    buckets_.insert(at, {index, times});
  }
}

void Histogram::merge(const Histogram& other) {
  for (const auto& bucket : other.buckets_) add_bucket(bucket.index, bucket.count);
}

nanoseconds Histogram::percentile(double percent) const {
  if (count_ == 0) return nanoseconds{0};
  const auto rank = static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (const auto& bucket : buckets_) {
    seen += bucket.count;
    if (seen >= rank) return middle_of(bucket.index);
  }
  return middle_of(buckets_.back().index);
}

void Histogram::encode(std::string& out) const {
  put_varint(out, buckets_.size());
  std::uint16_t before = 0;
  for (const auto& bucket : buckets_) {
    put_varint(out, static_cast<std::uint64_t>(bucket.index - before));
    put_varint(out, bucket.count);
    before = bucket.index;
  }
}

Histogram Histogram::decode(Bytes& in) {
  Histogram made;
  std::uint64_t index = 0;
  for (auto left = in.count(2); left > 0 && !in.bad(); --left) {
    index += in.varint();
    if (index >= kBuckets) return in.fail(), Histogram();
    made.add_bucket(static_cast<std::uint16_t>(index), in.varint());
  }
  return made;
}

}  // namespace securebase::traces
