// Cuts JavaScript (ECMAScript 2025) into tokens: as much of its grammar as is needed to find import and export
// declarations and to leave everything else untouched. White space and comments are left out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::k6 {

enum class TokenKind : std::uint8_t {
  kName,  // identifiers and keywords; #private names too
  kNumber,
  kString,    // with its quotes
  kTemplate,  // a stretch of a template's text: `a${  }b${  }c`
  kRegex,     // with its flags
  kPunctuator,
};

struct Token {
  TokenKind kind;
  bool newline_before = false;
  std::uint32_t depth = 0;   // how many (, [, { and ${ are open before it; a closing one counts its own
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1, in bytes
  std::size_t offset = 0;
  std::string_view text;  // of the source

  bool is(std::string_view expected) const {
    return text == expected && (kind == TokenKind::kPunctuator || kind == TokenKind::kName);
  }
  std::size_t end() const { return offset + text.size(); }
};

// Views into `source`, which is UTF-8. Limits: 32 MiB, 500 levels of brackets. An error begins with "line:column: ".
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace securebase::k6
