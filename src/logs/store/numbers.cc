#include "logs/store/numbers.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

namespace securebase::logs {

namespace {

constexpr double kPowers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr std::uint8_t kRawDoubles = 0xff;     // in place of the power
constexpr std::size_t kUuidText = 36;
constexpr std::size_t kUuidBytes = 16;

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

std::optional<unsigned> hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// Lower case only: what is unpacked must be what was packed.
bool pack_uuid(std::string_view text, char* into) {
  if (text.size() != kUuidText) return false;
  unsigned high = 0;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < kUuidText; ++i) {
    if (is_dash(i)) {
      if (text[i] != '-') return false;
      continue;
    }
    const auto value = hex_value(text[i]);
    if (!value) return false;
    if (digits % 2 == 0) {
      high = *value;
    } else {
      into[digits / 2] = static_cast<char>(high << 4 | *value);
    }
    ++digits;
  }
  return true;
}

void unpack_uuid(std::string_view bytes, char* into) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = 0;
  for (const char c : bytes) {
    if (is_dash(at)) into[at++] = '-';
    const auto byte = static_cast<unsigned char>(c);
    into[at++] = kDigits[byte >> 4];
    into[at++] = kDigits[byte & 15];
  }
}

}  // namespace

void put_planes(std::string& out, std::span<const std::uint64_t> values) {
  std::uint64_t all = 0;
  for (const auto value : values) all |= value;
  std::uint8_t width = 0;
  while (width < 8 && (all >> (8 * width)) != 0) ++width;
  out.push_back(static_cast<char>(width));
  for (std::uint8_t plane = 0; plane < width; ++plane) {
    for (const auto value : values) out.push_back(static_cast<char>(value >> (8 * plane)));
  }
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

void put_numbers(std::string& out, std::span<const double> numbers, bool steps) {
  thread_local std::vector<std::int64_t> integers;
  std::size_t power = 0;
  while (power < std::size(kPowers) && !as_integers(numbers, power, integers)) ++power;
  if (power == std::size(kPowers)) {
    out.push_back(static_cast<char>(kRawDoubles));
    for (const double number : numbers) put_fixed(out, number);
    return;
  }
  out.push_back(static_cast<char>(power));
  thread_local std::vector<std::uint64_t> offsets;
  offsets.clear();
  if (steps) {
    std::int64_t before = 0;
    for (auto& integer : integers) {
      const auto step = integer - before;
      before = integer;
      integer = step;
    }
  }
  // The first step is the first value itself, which may be far from all others.
  const std::int64_t first = steps && !integers.empty() ? integers.front() : 0;
  if (steps && !integers.empty()) integers.front() = integers.size() > 1 ? integers[1] : 0;
  const std::int64_t least = integers.empty() ? 0 : *std::min_element(integers.begin(), integers.end());
  for (const auto integer : integers) {
    offsets.push_back(static_cast<std::uint64_t>(integer) - static_cast<std::uint64_t>(least));
  }
  out.push_back(steps ? 1 : 0);
  put_signed(out, least);
  if (steps) put_signed(out, first);
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
  const auto steps = from.fixed<std::uint8_t>();
  const auto least = static_cast<std::uint64_t>(from.signed_varint());
  const auto first = steps != 0 ? static_cast<std::uint64_t>(from.signed_varint()) : 0;
  thread_local std::vector<std::uint64_t> offsets;
  if (!take_planes(from, count, offsets)) return false;
  if (steps != 0) {
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

void put_codes(std::string& out, std::span<const std::uint64_t> codes, std::size_t words) {
  const bool steps = words > 256;
  out.push_back(steps ? 1 : 0);
  if (!steps) return put_planes(out, codes);
  std::vector<std::uint64_t> zigzag;
  zigzag.reserve(codes.size());
  std::int64_t before = 0;
  for (const auto code : codes) {
    const auto step = static_cast<std::int64_t>(code) - before;
    before = static_cast<std::int64_t>(code);
    zigzag.push_back((static_cast<std::uint64_t>(step) << 1) ^ static_cast<std::uint64_t>(step >> 63));
  }
  put_planes(out, zigzag);
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

bool as_dictionary(std::span<const std::string_view> texts, std::vector<std::string_view>& words,
                   std::vector<std::uint64_t>& codes) {
  const auto most = texts.size() / 2;
  std::unordered_map<std::string_view, std::uint32_t> known;
  codes.reserve(texts.size());
  std::string_view last;
  std::uint32_t last_code = 0;
  for (const auto text : texts) {
    if (!codes.empty() && text == last) {
      codes.push_back(last_code);
      continue;
    }
    const auto [found, added] = known.emplace(text, static_cast<std::uint32_t>(words.size()));
    if (added) {
      if (words.size() >= most) return false;
      words.push_back(text);
    }
    last = text;
    last_code = found->second;
    codes.push_back(last_code);
  }
  return true;
}

void put_texts(std::string& out, std::span<const std::string_view> texts) {
  const auto begin = out.size();
  out.push_back(1);
  bool uuids = !texts.empty();
  for (const auto text : texts) {
    char packed[kUuidBytes];
    if (!pack_uuid(text, packed)) {
      uuids = false;
      break;
    }
    out.append(packed, kUuidBytes);
  }
  if (uuids) return;
  out.resize(begin);
  out.push_back(0);
  thread_local std::vector<std::uint64_t> lengths;
  lengths.clear();
  for (const auto text : texts) lengths.push_back(text.size());
  put_planes(out, lengths);
  for (const auto text : texts) out.append(text);
}

bool take_texts(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked) {
  into.clear();
  into.reserve(count);
  if (from.fixed<std::uint8_t>() == 1) {
    const auto bytes = from.take(std::uint64_t{count} * kUuidBytes);
    if (bytes.size() != count * kUuidBytes) return false;
    unpacked.resize(count * kUuidText);
    for (std::size_t i = 0; i < count; ++i) {
      unpack_uuid(bytes.substr(i * kUuidBytes, kUuidBytes), unpacked.data() + i * kUuidText);
      into.push_back(std::string_view(unpacked).substr(i * kUuidText, kUuidText));
    }
    return from.ok();
  }
  thread_local std::vector<std::uint64_t> lengths;
  if (!take_planes(from, count, lengths)) return false;
  for (const auto length : lengths) into.push_back(from.take(length));
  return from.ok();
}

}  // namespace securebase::logs
