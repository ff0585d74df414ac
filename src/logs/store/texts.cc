#include "logs/store/texts.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "logs/store/decimal.h"
#include "logs/store/numbers.h"
#include "logs/store/tokens.h"
#include "logs/store/uuid.h"

namespace securebase::logs {

namespace {

enum class TextLayout : std::uint8_t { kOneAfterTheOther, kUuids, kByPosition, kSharedShape };

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kMostPositions = 64;
constexpr std::size_t kMostNumbersOfText = 8;
constexpr std::size_t kLeastTexts = 16;  // of a layout that has a cost of its own
constexpr char kNumberHole = '\x11';
constexpr std::size_t kMostUnpackedBytes = std::size_t{256} << 20;

unsigned hex_value(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

void pack_uuid(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < kUuidText; i += 2) {
    if (is_uuid_dash(i)) ++i;
    out.push_back(static_cast<char>(hex_value(text[i]) << 4 | hex_value(text[i + 1])));
  }
}

void unpack_uuid(std::string_view bytes, char* into) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = 0;
  for (const char c : bytes) {
    if (is_uuid_dash(at)) into[at++] = '-';
    const auto byte = static_cast<unsigned char>(c);
    into[at++] = kDigits[byte >> 4];
    into[at++] = kDigits[byte & 15];
  }
}

bool is_digit_of_text(char c) { return c >= '0' && c <= '9'; }

// "customer-12" is "customer-*" and 12. False: it has too many numbers, or one that is written in another way.
bool cut_numbers(std::string_view text, std::string& shape, std::vector<double>& numbers) {
  shape.clear();
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit_of_text(text[at])) {
      if (text[at] == kNumberHole) return false;
      shape.push_back(text[at++]);
      continue;
    }
    auto end = at;
    while (end < text.size() && is_digit_of_text(text[end])) ++end;
    const auto number = decimal_of(text.substr(at, end - at));
    if (!number || numbers.size() >= kMostNumbersOfText) return false;
    numbers.push_back(number->mantissa);
    shape.push_back(kNumberHole);
    at = end;
  }
  return true;
}

// False: their shapes are several, and nothing was put.
bool put_by_shape(MixedBytes& out, std::span<const std::string_view> texts) {
  std::string shape;
  std::string other;
  std::vector<double> found;
  if (!cut_numbers(texts.front(), shape, found) || found.empty()) return false;
  std::vector<std::vector<double>> columns(found.size());
  for (const auto text : texts) {
    found.clear();
    if (!cut_numbers(text, other, found) || other != shape) return false;
    for (std::size_t i = 0; i < found.size(); ++i) columns[i].push_back(found[i]);
  }
  out.push_back(static_cast<char>(TextLayout::kSharedShape));
  put_text(out, shape);
  for (const auto& column : columns) put_numbers(out, column);
  return true;
}

bool take_uuids(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked) {
  const auto bytes = from.take(std::uint64_t{count} * kUuidBytes);
  if (bytes.size() != count * kUuidBytes) return false;
  unpacked.resize(count * kUuidText);
  for (std::size_t i = 0; i < count; ++i) {
    unpack_uuid(bytes.substr(i * kUuidBytes, kUuidBytes), unpacked.data() + i * kUuidText);
    into.push_back(std::string_view(unpacked).substr(i * kUuidText, kUuidText));
  }
  return from.ok();
}

bool take_by_position(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked) {
  const auto length = from.varint();
  if (length > kMostPositions) return false;
  const auto bytes = from.take(length * count);
  if (bytes.size() != length * count) return false;
  unpacked.resize(bytes.size());
  for (std::size_t i = 0; i < length; ++i) {
    const char* const plane = bytes.data() + i * count;
    for (std::size_t text = 0; text < count; ++text) unpacked[text * length + i] = plane[text];
  }
  for (std::size_t i = 0; i < count; ++i) into.push_back(std::string_view(unpacked).substr(i * length, length));
  return from.ok();
}

bool take_by_shape(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked) {
  const auto shape = from.text();
  const auto holes = static_cast<std::size_t>(std::count(shape.begin(), shape.end(), kNumberHole));
  if (holes > kMostNumbersOfText || (shape.size() + holes * kMostDecimals) * count > kMostUnpackedBytes) return false;
  std::vector<std::vector<double>> columns(holes, std::vector<double>(count));
  for (auto& column : columns) {
    if (!take_numbers(from, count, column.data())) return false;
  }
  unpacked.clear();
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t hole = 0;
    for (const char c : shape) {
      if (c == kNumberHole) {
        append_decimal(unpacked, {columns[hole++][i], 0});
      } else {
        unpacked.push_back(c);
      }
    }
    ends.push_back(unpacked.size());
  }
  std::size_t begin = 0;
  for (const auto end : ends) {
    into.push_back(std::string_view(unpacked).substr(begin, end - begin));
    begin = end;
  }
  return from.ok();
}

}  // namespace

bool as_dictionary(std::span<const std::string_view> texts, std::vector<std::string_view>& words,
                   std::vector<std::uint64_t>& codes) {
  const auto most = texts.size() / 2;
  // Words by their hashes, counted from 1; 0 is free. At most half full.
  thread_local std::vector<std::uint32_t> known;
  known.assign(std::bit_ceil(std::max<std::size_t>(2 * most, 2)), 0);
  const auto mask = known.size() - 1;
  codes.reserve(texts.size());
  std::string_view last;
  std::uint32_t last_code = 0;
  for (const auto text : texts) {
    if (!codes.empty() && text == last) {
      codes.push_back(last_code);
      continue;
    }
    auto at = hash_of_word(text) & mask;
    while (known[at] != 0 && words[known[at] - 1] != text) at = (at + 1) & mask;
    if (known[at] == 0) {
      if (words.size() >= most) return false;
      words.push_back(text);
      known[at] = static_cast<std::uint32_t>(words.size());
    }
    last = text;
    last_code = known[at] - 1;
    codes.push_back(last_code);
  }
  return true;
}

void put_texts(MixedBytes& out, std::span<const std::string_view> texts) {
  const bool alike = !texts.empty() && std::all_of(texts.begin(), texts.end(), [&](std::string_view text) {
    return text.size() == texts.front().size();
  });
  if (alike && std::all_of(texts.begin(), texts.end(), is_uuid)) {
    out.push_back(static_cast<char>(TextLayout::kUuids));
    for (const auto text : texts) pack_uuid(text, out);
    return;
  }
  if (alike && texts.size() >= kLeastTexts && texts.front().size() <= kMostPositions) {
    out.push_back(static_cast<char>(TextLayout::kByPosition));
    put_varint(out, texts.front().size());
    out.cut();
    for (std::size_t i = 0; i < texts.front().size(); ++i) {
      for (const auto text : texts) out.push_back(text[i]);
    }
    out.cut();
    return;
  }
  if (texts.size() >= kLeastTexts && put_by_shape(out, texts)) return;
  out.push_back(static_cast<char>(TextLayout::kOneAfterTheOther));
  thread_local std::vector<std::uint64_t> lengths;
  lengths.clear();
  for (const auto text : texts) lengths.push_back(text.size());
  put_planes(out, lengths);
  for (const auto text : texts) out.append(text);
}

bool take_texts(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked) {
  into.clear();
  into.reserve(count);
  switch (static_cast<TextLayout>(from.fixed<std::uint8_t>())) {
    case TextLayout::kUuids:
      return take_uuids(from, count, into, unpacked);
    case TextLayout::kByPosition:
      return take_by_position(from, count, into, unpacked);
    case TextLayout::kSharedShape:
      return take_by_shape(from, count, into, unpacked);
    case TextLayout::kOneAfterTheOther:
      break;
    default:
      return false;
  }
  thread_local std::vector<std::uint64_t> lengths;
  if (!take_planes(from, count, lengths)) return false;
  for (const auto length : lengths) into.push_back(from.take(length));
  return from.ok();
}

bool skip_texts(ByteReader& from, std::size_t count) {
  switch (static_cast<TextLayout>(from.fixed<std::uint8_t>())) {
    case TextLayout::kUuids:
      from.take(std::uint64_t{count} * kUuidBytes);
      return from.ok();
    case TextLayout::kByPosition: {
      const auto length = from.varint();
      if (length > kMostPositions) return false;
      from.take(length * count);
      return from.ok();
    }
    case TextLayout::kSharedShape: {
      const auto shape = from.text();
      const auto holes = static_cast<std::size_t>(std::count(shape.begin(), shape.end(), kNumberHole));
      for (std::size_t i = 0; i < holes; ++i) {
        if (!skip_numbers(from, count)) return false;
      }
      return from.ok();
    }
    case TextLayout::kOneAfterTheOther:
      break;
    default:
      return false;
  }
  thread_local std::vector<std::uint64_t> lengths;
  if (!take_planes(from, count, lengths)) return false;
  for (const auto length : lengths) from.take(length);
  return from.ok();
}

Alphabet alphabet_of_texts(ByteReader from) {
  switch (static_cast<TextLayout>(from.fixed<std::uint8_t>())) {
    case TextLayout::kUuids:
      return Alphabet::uuid();
    case TextLayout::kSharedShape: {
      auto alphabet = Alphabet::of("0123456789");
      alphabet.add(from.text());
      return alphabet;
    }
    default:
      return Alphabet::any();
  }
}

}  // namespace securebase::logs
