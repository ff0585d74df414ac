// Text within HTML and XML.
#pragma once

#include <string>
#include <string_view>

namespace securebase::base {

// For content and for attributes in either kind of quotes. Control characters, which XML 1.0 has no place for, become
// spaces; line breaks and tabs stay. What is no UTF-8, or a character that XML has no place for, becomes U+FFFD.
std::string markup_escaped(std::string_view text);

}  // namespace securebase::base
