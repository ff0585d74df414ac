#include "lambda/cursor.h"

#include <algorithm>

#include "base/encoding.h"

namespace securebase::lambda {

namespace {

constexpr std::size_t kMostBytes = 256;

// Dates and times go into SQL as parameters that PostgreSQL parses: only what one can be made of comes that far.
bool is_time(std::string_view text) {
  return text.size() >= 10 && text.size() <= 35 && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789-+:. TZ") == std::string_view::npos;
}

}  // namespace

std::string Cursor::encode() const { return base::base64url(at + "|" + id); }

Result<Cursor> Cursor::parse(std::string_view text) {
  const Error malformed{Errc::kMalformed, "cursor: expected a next_cursor that was answered before"};
  if (text.size() > kMostBytes) return malformed;
  const auto decoded = base::from_base64url(text);
  if (!decoded) return malformed;
  const std::size_t bar = decoded->find('|');
  if (bar == std::string::npos) return malformed;
  Cursor cursor{decoded->substr(0, bar), decoded->substr(bar + 1)};
  if (!is_time(cursor.at) || cursor.id.empty() || cursor.id.find('\0') != std::string::npos) return malformed;
  return cursor;
}

}  // namespace securebase::lambda
