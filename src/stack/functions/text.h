// Text as people count it: characters of UTF-8, not bytes. Combining marks and joined emoji count with the character
// they belong to, as far as one can tell without Unicode's tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace securebase::stack {

std::vector<std::string_view> characters(std::string_view text);
bool is_utf8(std::string_view text);
// Simple case mapping of ASCII, Latin, Greek and Cyrillic letters.
std::string upper(std::string_view text);
std::string lower(std::string_view text);

}  // namespace securebase::stack
