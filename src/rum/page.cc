#include "rum/page.h"

#include <algorithm>

namespace securebase::rum {

namespace {

constexpr std::size_t kSegments = 6;
constexpr std::size_t kWordBytes = 40;
constexpr std::string_view kIdentifier = "{id}";
constexpr std::string_view kDeeper = "...";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_or_hyphen(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-'; }

bool is_identifier(std::string_view segment) {
  if (segment.size() > kWordBytes || segment.find('%') != std::string_view::npos) return true;
  if (std::all_of(segment.begin(), segment.end(), is_digit)) return true;
  return segment.size() >= 8 && std::all_of(segment.begin(), segment.end(), is_hex_or_hyphen) &&
         std::any_of(segment.begin(), segment.end(), is_digit);
}

}  // namespace

std::string page_of(std::string_view path) {
  std::string page;
  std::size_t segments = 0;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    begin = end + 1;
    if (segment.empty()) continue;
    if (segments++ == kSegments) {
      page.append("/").append(kDeeper);
      break;
    }
    page.append("/").append(is_identifier(segment) ? kIdentifier : segment);
  }
  return page.empty() ? "/" : page;
}

std::string Pages::admit(std::string page) {
  if (known_.contains(page)) return page;
  if (known_.size() >= most_) return std::string(kOther);
  known_.insert(page);
  return page;
}

}  // namespace securebase::rum
