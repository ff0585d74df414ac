// Keyset pagination: the place after the last row of a page, as a word that callers hand back unread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::lambda {

// Rows are ordered by `at` (a date or a time), then by `id`.
struct Cursor {
  std::string at;
  std::string id;

  std::string encode() const;
  static Result<Cursor> parse(std::string_view text);
};

}  // namespace securebase::lambda
