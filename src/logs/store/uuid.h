// UUIDs within texts, as most programs write them: "3f2c8a10-0000-4000-8000-0123456789ab", in lower case.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <string_view>

namespace securebase::logs {

inline constexpr std::size_t kUuidText = 36;
inline constexpr std::size_t kUuidFirstDash = 8;

inline constexpr bool is_uuid_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// Whether 16 bytes are dashes where `dashes` has a bit, and hexadecimal digits elsewhere.
inline bool is_piece_of_uuid(const char* bytes, int dashes) {
  const auto text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  const auto is_among = [text](char first, char count) {
    const auto place = _mm_sub_epi8(text, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(place, _mm_set1_epi8(static_cast<char>(count - 1))), place);
  };
  const int digits = _mm_movemask_epi8(_mm_or_si128(is_among('0', 10), is_among('a', 6)));
  return digits == (0xffff & ~dashes) && _mm_movemask_epi8(is_among('-', 1)) == dashes;
}

// Does one begin here, whatever follows it?
inline bool begins_with_uuid(std::string_view text) {
  if (text.size() < kUuidText || text[8] != '-') return false;
  return is_piece_of_uuid(text.data(), 1 << 8 | 1 << 13) && is_piece_of_uuid(text.data() + 16, 1 << 2 | 1 << 7) &&
         is_piece_of_uuid(text.data() + 20, 1 << 3);
}

inline bool is_uuid(std::string_view text) { return text.size() == kUuidText && begins_with_uuid(text); }

// Is the dash at `dash` the first one of a UUID within the text?
inline bool is_dash_of_uuid(std::string_view text, std::size_t dash) {
  return dash >= kUuidFirstDash && begins_with_uuid(text.substr(dash - kUuidFirstDash));
}

}  // namespace securebase::logs
