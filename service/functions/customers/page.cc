#include "customers/page.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::customers {

std::string page_body(std::string_view name, const lambda::Rows& rows, std::int64_t limit) {
  const int shown = static_cast<int>(std::min<std::int64_t>(rows.size(), limit));
  std::string body = fmt::format("{{\"{}\":[", name);
  for (int row = 0; row < shown; ++row) {
    if (row > 0) body += ',';
    body += rows.text(row, 0);
  }
  body += "],\"next_cursor\":";
  if (rows.size() > shown && shown > 0) {
    const lambda::Cursor cursor{std::string(rows.text(shown - 1, 1)), std::string(rows.text(shown - 1, 2))};
    body += '"' + cursor.encode() + '"';
  } else {
    body += "null";
  }
  body += '}';
  return body;
}

}  // namespace securebase::customers
