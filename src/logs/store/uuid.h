// UUIDs within texts, as most programs write them: "3f2c8a10-0000-4000-8000-0123456789ab", in lower case.
#pragma once

#include <cstddef>
#include <string_view>

namespace securebase::logs {

inline constexpr std::size_t kUuidText = 36;
inline constexpr std::size_t kUuidFirstDash = 8;

inline constexpr bool is_uuid_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// Does one begin here, whatever follows it?
inline bool begins_with_uuid(std::string_view text) {
  if (text.size() < kUuidText || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
  for (std::size_t i = 0; i < kUuidText; ++i) {
    const char c = text[i];
    if (!is_uuid_dash(i) && !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

inline bool is_uuid(std::string_view text) { return text.size() == kUuidText && begins_with_uuid(text); }

// Is the dash at `dash` the first one of a UUID within the text?
inline bool is_dash_of_uuid(std::string_view text, std::size_t dash) {
  return dash >= kUuidFirstDash && begins_with_uuid(text.substr(dash - kUuidFirstDash));
}

}  // namespace securebase::logs
