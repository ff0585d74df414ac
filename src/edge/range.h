// Range requests (RFC 9110 §14).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "net/http/message.h"

namespace securebase::edge {

struct ByteRange {
  std::uint64_t first;
  std::uint64_t last;  // inclusive
  std::uint64_t length() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

inline constexpr std::size_t kMostRanges = 16;

// nullopt: not a byte range, or too many, or overlapping ones: the field is ignored and the whole is sent (§14.2).
// Empty: none of them lies within `size` bytes: 416.
std::optional<std::vector<ByteRange>> parse_range(std::string_view value, std::uint64_t size);

// Does If-Range let the range through (§13.1.5)? Only a strong tag or the exact date does.
bool range_holds(const http::Headers& request, std::string_view etag, std::string_view last_modified);

}  // namespace securebase::edge
