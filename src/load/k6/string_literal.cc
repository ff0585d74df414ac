#include "k6/string_literal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace securebase::k6 {

namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x110000) {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

}  // namespace

std::string unquote(std::string_view quoted) {
  if (quoted.size() < 2) return "";
  const auto inner = quoted.substr(1, quoted.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] != '\\' || i + 1 >= inner.size()) {
      out += inner[i];
      continue;
    }
    const char c = inner[++i];
    const auto digits = [&](std::size_t from, std::size_t count) {
      std::uint32_t value = 0;
      const auto text = inner.substr(std::min(from, inner.size()), count);
      std::from_chars(text.data(), text.data() + text.size(), value, 16);
      return value;
    };
    switch (c) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'v':
        out += '\v';
        break;
      case '0':
        out += '\0';
        break;
      case '\n':
        break;
      case '\r':  // a line that goes on
        if (i + 1 < inner.size() && inner[i + 1] == '\n') ++i;
        break;
      case 'x':
        append_utf8(out, digits(i + 1, 2));
        i += 2;
        break;
      case 'u':
        if (i + 1 < inner.size() && inner[i + 1] == '{') {
          const auto end = std::min(inner.find('}', i), inner.size());
          append_utf8(out, digits(i + 2, end - i - 2));
          i = end;
        } else {
          append_utf8(out, digits(i + 1, 4));
          i += 4;
        }
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace securebase::k6
