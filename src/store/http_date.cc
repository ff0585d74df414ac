// HTTP's three date forms (RFC 9110 §5.6.7):
//   Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate
//   Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
//   Sun Nov  6 08:49:37 1994           asctime
#include <array>

#include "store/freshness.h"

namespace securebase::store {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Takes pieces from the front; once something does not fit, nothing does.
struct Cursor {
  std::string_view left;
  bool good = true;

  void literal(std::string_view expected) {
    good = good && left.starts_with(expected);
    if (good) left.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    int value = 0;
    good = good && left.size() >= digits;
    for (std::size_t i = 0; good && i < digits; ++i) {
      good = left[i] >= '0' && left[i] <= '9';
      value = value * 10 + (left[i] - '0');
    }
    if (good) left.remove_prefix(digits);
    return value;
  }
  unsigned month() {
    for (unsigned i = 0; good && i < kMonths.size(); ++i) {
      if (!left.starts_with(kMonths[i])) continue;
      left.remove_prefix(3);
      return i + 1;
    }
    good = false;
    return 1;
  }
};

struct Parts {
  int year = 0;
  unsigned month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void clock_time(Cursor& cursor, Parts& parts) {
  parts.hour = cursor.number(2);
  cursor.literal(":");
  parts.minute = cursor.number(2);
  cursor.literal(":");
  parts.second = cursor.number(2);
}

std::optional<base::TimePoint> time_of(const Parts& parts) {
  using namespace std::chrono;
  const year_month_day date{year{parts.year}, month{parts.month}, day{static_cast<unsigned>(parts.day)}};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  return sys_days{date} + hours{parts.hour} + minutes{parts.minute} + std::chrono::seconds{parts.second};
}

}  // namespace

std::optional<base::TimePoint> parse_http_date(std::string_view text) {
  Parts parts;
  const auto comma = text.find(',');
  Cursor cursor{text};
  if (comma == 3) {
    cursor.left.remove_prefix(4);
    cursor.literal(" ");
    parts.day = cursor.number(2);
    cursor.literal(" ");
    parts.month = cursor.month();
    cursor.literal(" ");
    parts.year = cursor.number(4);
    cursor.literal(" ");
    clock_time(cursor, parts);
    cursor.literal(" GMT");
  } else if (comma != std::string_view::npos) {
    cursor.left.remove_prefix(comma + 1);
    cursor.literal(" ");
    parts.day = cursor.number(2);
    cursor.literal("-");
    parts.month = cursor.month();
    cursor.literal("-");
    const int two = cursor.number(2);
    parts.year = two < 70 ? 2000 + two : 1900 + two;
    cursor.literal(" ");
    clock_time(cursor, parts);
    cursor.literal(" GMT");
  } else {
    if (cursor.left.size() < 4) return std::nullopt;
    cursor.left.remove_prefix(4);
    parts.month = cursor.month();
    cursor.literal(" ");
    if (cursor.left.starts_with(' ')) {
      cursor.literal(" ");
      parts.day = cursor.number(1);
    } else {
      parts.day = cursor.number(2);
    }
    cursor.literal(" ");
    clock_time(cursor, parts);
    cursor.literal(" ");
    parts.year = cursor.number(4);
  }
  if (!cursor.good || !cursor.left.empty()) return std::nullopt;
  return time_of(parts);
}

}  // namespace securebase::store
