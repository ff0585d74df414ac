#include "lambda/cursor.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/encoding.h"
#include "lambda/parameters.h"

namespace securebase::lambda {

namespace {

constexpr std::size_t kMostBytes = 256;

constexpr std::string_view kDigits = "0123456789";

// Takes a number of `digits` digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + digits, value);
  if (failure != std::errc{} || end != text.data() + digits || value < 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// "2026-01-31", or a time of that day as PostgreSQL writes it in UTC, "2026-01-31 10:00:00.25+00". It goes back into
// SQL, where one that does not exist is an error of the server's: only a real one comes that far.
bool is_time(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool dated = take_number(text, 4, year) && take_char(text, '-') && take_number(text, 2, month) &&
                     take_char(text, '-') && take_number(text, 2, day);
  if (!dated || year < 1 || !(std::chrono::year{year} / month / day).ok()) return false;
  if (text.empty()) return true;
  const bool timed = take_char(text, ' ') && take_number(text, 2, hour) && take_char(text, ':') &&
                     take_number(text, 2, minute) && take_char(text, ':') && take_number(text, 2, second);
  if (!timed || hour > 23 || minute > 59 || second > 59) return false;
  if (take_char(text, '.')) {
    const std::size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
    if (digits < 1 || digits > 6) return false;
    text.remove_prefix(digits);
  }
  return text == "+00";
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
  if (!is_time(cursor.at) || !is_id(cursor.id)) return malformed;
  return cursor;
}

}  // namespace securebase::lambda
