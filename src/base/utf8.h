// Characters of UTF-8, RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace securebase::base {

// How many bytes from the front of `text`, which is not empty, are one character; 0: they are none.
std::size_t utf8_length(std::string_view text);

}  // namespace securebase::base
