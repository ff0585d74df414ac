#include "base/markup.h"

#include <algorithm>

#include "base/utf8.h"

namespace securebase::base {

std::string markup_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const auto length = utf8_length(text.substr(at));
      const auto character = text.substr(at, length);
      // XML has no place for U+FFFE and U+FFFF either.
      const bool fine = length > 0 && character != "\xef\xbf\xbe" && character != "\xef\xbf\xbf";
      out += fine ? character : "\xef\xbf\xbd";
      at += std::max<std::size_t>(length, 1) - 1;
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

}  // namespace securebase::base
