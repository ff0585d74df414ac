// Which page a path is of. Metrics have a series for each page, so paths that differ by an identifier are one page, and
// pages are few.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace securebase::rum {

// "/invoices/42/lines" and "/invoices/7/lines/" are "/invoices/{id}/lines". A segment is an identifier when it is a
// number, has a digit among eight or more characters of hexadecimal and hyphens, is escaped, or is longer than words
// are. What lies deeper than six segments is "...".
std::string page_of(std::string_view path);

// The pages of one application: the first `most` that come are themselves, all others are kOther.
class Pages {
 public:
  static constexpr std::string_view kOther = "(other)";
  explicit Pages(std::size_t most) : most_(most) {}
  std::string admit(std::string page);

 private:
  std::size_t most_;
  std::set<std::string> known_;
};

}  // namespace securebase::rum
