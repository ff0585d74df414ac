#include "monitoring/metrics/slot_codec.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace securebase::monitoring {

namespace {

enum Shape : std::uint8_t { kOneValue = 0, kHistogram = 1, kSet = 2 };
constexpr std::uint8_t kCountIsOne = 1 << 2;
constexpr std::uint8_t kFollows = 1 << 3;
constexpr int kNumbersShift = 4;
constexpr int kSumShift = 6;

// How a number is written: 0 to 2 are steps of these, 3 is as it lies in memory.
constexpr double kPerStep[] = {1, 1e3, 1e6};
constexpr int kAsItLies = 3;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

// A number as it is written. Of the ways that give the very same double again, the one with the smallest steps.
struct Written {
  int way = kAsItLies;
  std::int64_t steps = 0;  // unless it is written as it lies
};

// `value` in steps of one way; nullopt: it would not come back.
std::optional<std::int64_t> steps_of(double value, int way) {
  const double scaled = value * kPerStep[way];
  if (!(std::abs(scaled) < kExactIntegers)) return std::nullopt;
  // Halves are rounded up or down alike: they are compared below.
  const auto steps = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  if (static_cast<double>(steps) / kPerStep[way] != value || (steps == 0 && std::signbit(value))) return std::nullopt;
  return steps;
}

Written written(double value, int first_way = 0) {
  for (int way = first_way; way < kAsItLies; ++way) {
    if (const auto steps = steps_of(value, way)) return {way, *steps};
  }
  return {};
}

double get_number(Cursor& in, int way) {
  if (way == kAsItLies) return in.fixed<double>();
  return static_cast<double>(in.signed_varint()) / kPerStep[way];
}

constexpr std::size_t kMostVarintBytes = 10;

// put_varint() to memory that has room for it; gives where the next one goes.
char* write_varint(char* at, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}

char* write_number(char* at, double value, const Written& number) {
  if (number.way != kAsItLies) return write_varint(at, zigzag(number.steps));
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

// By way of the stack: a string that grows by a byte at a time costs more than all that is computed here.
void put_histogram(std::string& out, const Summary& summary) {
  char bytes[512];
  char* at = write_varint(bytes, summary.buckets.size());
  BucketKey before = 0;
  bool first = true;
  for (const auto& bucket : summary.buckets) {
    if (at + 2 * kMostVarintBytes > bytes + sizeof bytes) {
      out.append(bytes, static_cast<std::size_t>(at - bytes));
      at = bytes;
    }
    const std::uint64_t step = first ? zigzag(bucket.key) : static_cast<std::uint64_t>(bucket.key - before);
    at = write_varint(at, step << 1 | (bucket.count > 1));
    if (bucket.count > 1) at = write_varint(at, bucket.count - 2);
    before = bucket.key;
    first = false;
  }
  out.append(bytes, static_cast<std::size_t>(at - bytes));
}

bool get_histogram(Cursor& in, Summary& summary) {
  const std::uint64_t size = in.varint();
  if (size > in.left()) return in.fail(), false;
  summary.buckets.resize(size);
  std::int64_t key = 0;
  bool first = true;
  for (auto& bucket : summary.buckets) {
    const std::uint64_t step = in.varint();
    // Before it is added to anything: bytes may say any number.
    if (!first && step >> 1 > 2 * static_cast<std::uint64_t>(kHighestKey)) return in.fail(), false;
    key = first ? unzigzag(step >> 1) : key + static_cast<std::int64_t>(step >> 1);
    if (key > kHighestKey || key < -kHighestKey || (!first && step >> 1 == 0)) return in.fail(), false;
    const std::uint64_t beyond_two = (step & 1) != 0 ? in.varint() : 0;
    if (beyond_two > std::numeric_limits<std::uint64_t>::max() - 2) return in.fail(), false;
    bucket = {static_cast<BucketKey>(key), (step & 1) != 0 ? beyond_two + 2 : 1};
    first = false;
  }
  return !in.bad();
}

}  // namespace

void put_slot(const Slot& slot, std::int64_t before, std::string& heads, std::string& histograms) {
  const Summary& summary = slot.summary;
  const Shape shape = summary.undistributed ? kSet : summary.one_value() ? kOneValue : kHistogram;
  Written minimum = written(summary.minimum);
  Written maximum;
  Written sum;
  if (shape != kOneValue) {
    maximum = written(summary.maximum, minimum.way);
    // Both are written in one way, the finer one; a number that comes back from whole steps does so from finer ones
    // too, but for very large ones.
    if (maximum.way != minimum.way) minimum = written(summary.minimum, maximum.way);
    if (maximum.way != minimum.way) minimum = maximum = Written{};
    sum = written(summary.sum);
  } else {
    sum.way = 0;
  }
  std::uint8_t flags = shape;
  if (summary.count == 1) flags |= kCountIsOne;
  if (slot.number == before + 1) flags |= kFollows;
  flags |= static_cast<std::uint8_t>(minimum.way << kNumbersShift | sum.way << kSumShift);
  char bytes[1 + 5 * kMostVarintBytes];
  char* at = bytes;
  *at++ = static_cast<char>(flags);
  if (!(flags & kFollows)) at = write_varint(at, zigzag(slot.number - before));
  if (!(flags & kCountIsOne)) at = write_varint(at, summary.count);
  at = write_number(at, summary.minimum, minimum);
  if (shape != kOneValue) {
    at = write_number(at, summary.maximum, maximum);
    at = write_number(at, summary.sum, sum);
  }
  heads.append(bytes, static_cast<std::size_t>(at - bytes));
  if (shape == kHistogram) put_histogram(histograms, summary);
}

bool get_slot(Cursor& heads, Cursor& histograms, std::int64_t before, Detail detail, Slot& slot) {
  const std::uint8_t flags = heads.byte();
  const auto shape = static_cast<std::uint8_t>(flags & 3);
  const int numbers = flags >> kNumbersShift & 3;
  Summary& summary = slot.summary;
  slot.number = flags & kFollows ? before + 1
                                 : static_cast<std::int64_t>(static_cast<std::uint64_t>(before) +
                                                             static_cast<std::uint64_t>(heads.signed_varint()));
  summary.count = flags & kCountIsOne ? 1 : heads.varint();
  summary.minimum = get_number(heads, numbers);
  summary.buckets.clear();
  summary.undistributed = shape == kSet;
  if (shape == kOneValue) {
    summary.maximum = summary.minimum;
    summary.sum = summary.minimum * static_cast<double>(summary.count);
  } else {
    summary.maximum = get_number(heads, numbers);
    summary.sum = get_number(heads, flags >> kSumShift & 3);
    if (shape > kSet || !(summary.minimum < summary.maximum)) heads.fail();
    if (shape == kHistogram && detail == Detail::kHistograms && !heads.bad() && !get_histogram(histograms, summary)) {
      heads.fail();
    }
  }
  if (summary.count == 0 || !std::isfinite(summary.minimum) || !std::isfinite(summary.sum)) heads.fail();
  return !heads.bad();
}

}  // namespace securebase::monitoring
