#include "logs/store/numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace securebase::logs {

namespace {

constexpr double kPowers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr std::uint8_t kRawDoubles = 0xff;     // in place of the power
// Bits of the byte behind the power.
constexpr std::uint8_t kSteps = 1;
constexpr std::uint8_t kFactor = 2;

// As integers over a power of ten, if that gives back the same doubles: a division is rounded correctly, as the reading
// of decimal digits is.
bool as_integers(std::span<const double> numbers, std::size_t power, std::vector<std::int64_t>& into) {
  into.clear();
  for (const double number : numbers) {
    const double scaled = std::nearbyint(number * kPowers[power]);
    if (!(std::abs(scaled) < kExact) || scaled / kPowers[power] != number) return false;
    into.push_back(static_cast<std::int64_t>(scaled));
  }
  return true;
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

// Whether the bits of the steps from one to the next are fewer than those of the values above the least of them, by
// more than what noise makes of it: the steps of random values are a bit smaller than the values are.
bool steps_are_smaller(std::span<const std::int64_t> values) {
  if (values.size() < 2) return false;
  const auto least = *std::min_element(values.begin(), values.end());
  std::size_t value_bits = 0;
  std::size_t step_bits = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    value_bits += static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(values[i] - least)));
    step_bits += static_cast<std::size_t>(std::bit_width(zigzag(values[i] - values[i - 1])));
  }
  return step_bits + values.size() < value_bits;
}

}  // namespace

void put_planes(MixedBytes& out, std::span<const std::uint64_t> values) {
  std::uint64_t all = 0;
  for (const auto value : values) all |= value;
  std::uint8_t width = 0;
  while (width < 8 && (all >> (8 * width)) != 0) ++width;
  out.push_back(static_cast<char>(width));
  for (std::uint8_t plane = 0; plane < width; ++plane) {
    out.cut();
    for (const auto value : values) out.push_back(static_cast<char>(value >> (8 * plane)));
  }
  out.cut();
}

bool take_planes(ByteReader& from, std::size_t count, std::vector<std::uint64_t>& into) {
  const auto width = from.fixed<std::uint8_t>();
  if (width > 8) return false;
  into.assign(count, 0);
  for (std::uint8_t plane = 0; plane < width; ++plane) {
    const auto bytes = from.take(count);
    if (bytes.size() != count) return false;
    for (std::size_t i = 0; i < count; ++i) {
      into[i] |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * plane);
    }
  }
  return from.ok();
}

bool skip_planes(ByteReader& from, std::size_t count) {
  const auto width = from.fixed<std::uint8_t>();
  if (width > 8) return false;
  from.take(std::uint64_t{width} * count);
  return from.ok();
}

void put_numbers(MixedBytes& out, std::span<const double> numbers) {
  thread_local std::vector<std::int64_t> integers;
  std::size_t power = 0;
  while (power < std::size(kPowers) && !as_integers(numbers, power, integers)) ++power;
  if (power == std::size(kPowers)) {
    out.push_back(static_cast<char>(kRawDoubles));
    for (const double number : numbers) put_fixed(out, number);
    return;
  }
  out.push_back(static_cast<char>(power));
  // The first step is the first value itself, which may be far from all others.
  const std::int64_t first = integers.empty() ? 0 : integers.front();
  const bool steps = steps_are_smaller(integers);
  if (steps) {
    for (auto i = integers.size() - 1; i > 0; --i) integers[i] -= integers[i - 1];
    integers[0] = integers[1];
  }
  const std::int64_t least = integers.empty() ? 0 : *std::min_element(integers.begin(), integers.end());
  thread_local std::vector<std::uint64_t> offsets;
  offsets.clear();
  for (const auto integer : integers) {
    offsets.push_back(static_cast<std::uint64_t>(integer) - static_cast<std::uint64_t>(least));
  }
  std::uint64_t factor = 0;
  for (const auto offset : offsets) factor = std::gcd(factor, offset);
  const bool factored = factor > 1;
  if (factored) {
    for (auto& offset : offsets) offset /= factor;
  }
  out.push_back(static_cast<char>((steps ? kSteps : 0) | (factored ? kFactor : 0)));
  put_signed(out, least);
  if (steps) put_signed(out, first);
  if (factored) put_varint(out, factor);
  put_planes(out, offsets);
}

bool take_numbers(ByteReader& from, std::size_t count, double* into) {
  const auto power = from.fixed<std::uint8_t>();
  if (power == kRawDoubles) {
    const auto bytes = from.take(std::uint64_t{count} * sizeof(double));
    if (bytes.size() != count * sizeof(double)) return false;
    if (count > 0) std::memcpy(into, bytes.data(), bytes.size());
    return true;
  }
  if (power >= std::size(kPowers)) return false;
  const auto flags = from.fixed<std::uint8_t>();
  const bool steps = (flags & kSteps) != 0;
  const auto least = static_cast<std::uint64_t>(from.signed_varint());
  const auto first = steps ? static_cast<std::uint64_t>(from.signed_varint()) : 0;
  const std::uint64_t factor = (flags & kFactor) != 0 ? from.varint() : 1;
  thread_local std::vector<std::uint64_t> offsets;
  if (!take_planes(from, count, offsets)) return false;
  if (factor != 1) {
    for (auto& offset : offsets) offset *= factor;
  }
  if (steps) {
    std::uint64_t sum = first;
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) sum += offsets[i] + least;
      into[i] = static_cast<double>(static_cast<std::int64_t>(sum));
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      into[i] = static_cast<double>(static_cast<std::int64_t>(offsets[i] + least));
    }
  }
  if (power > 0) {
    for (std::size_t i = 0; i < count; ++i) into[i] /= kPowers[power];
  }
  return true;
}

bool skip_numbers(ByteReader& from, std::size_t count) {
  const auto power = from.fixed<std::uint8_t>();
  if (power == kRawDoubles) {
    from.take(std::uint64_t{count} * sizeof(double));
    return from.ok();
  }
  if (power >= std::size(kPowers)) return false;
  const auto flags = from.fixed<std::uint8_t>();
  from.signed_varint();
  if ((flags & kSteps) != 0) from.signed_varint();
  if ((flags & kFactor) != 0) from.varint();
  return skip_planes(from, count);
}

void put_codes(MixedBytes& out, std::span<const std::uint64_t> codes, std::size_t words) {
  thread_local std::vector<std::int64_t> values;
  const bool many = words > 256;  // of fewer, a code is a byte, and zstd sees which follow which
  if (many) values.assign(codes.begin(), codes.end());
  const bool steps = many && steps_are_smaller(values);
  out.push_back(steps ? 1 : 0);
  if (!steps) return put_planes(out, codes);
  std::vector<std::uint64_t> zigzags;
  zigzags.reserve(codes.size());
  std::int64_t before = 0;
  for (const auto value : values) {
    zigzags.push_back(zigzag(value - before));
    before = value;
  }
  put_planes(out, zigzags);
}

bool take_codes(ByteReader& from, std::size_t count, std::size_t words, std::vector<std::uint32_t>& into) {
  const bool steps = from.fixed<std::uint8_t>() != 0;
  thread_local std::vector<std::uint64_t> wide;
  if (!take_planes(from, count, wide)) return false;
  into.resize(count);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = wide[i];
    sum = steps ? sum + ((value >> 1) ^ (~(value & 1) + 1)) : value;
    if (sum >= words) return false;
    into[i] = static_cast<std::uint32_t>(sum);
  }
  return true;
}

bool skip_codes(ByteReader& from, std::size_t count) {
  from.fixed<std::uint8_t>();
  return skip_planes(from, count);
}

}  // namespace securebase::logs
