// What a string literal of JavaScript stands for.
#pragma once

#include <string>
#include <string_view>

namespace securebase::k6 {

// `quoted` is a kString token's text (tokens.h), with its quotes. UTF-8.
std::string unquote(std::string_view quoted);

}  // namespace securebase::k6
