#include "stack/functions/text.h"

#include <utility>

namespace securebase::stack {

namespace {

std::size_t sequence_length(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const std::size_t length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
  if (length == 0 || length > text.size() || byte > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

char32_t code_point(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(bytes[i])); };
  switch (bytes.size()) {
    case 2:
      return (at(0) & 0x1f) << 6 | (at(1) & 0x3f);
    case 3:
      return (at(0) & 0x0f) << 12 | (at(1) & 0x3f) << 6 | (at(2) & 0x3f);
    case 4:
      return (at(0) & 0x07) << 18 | (at(1) & 0x3f) << 12 | (at(2) & 0x3f) << 6 | (at(3) & 0x3f);
    default:
      return at(0);
  }
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

bool joins_the_one_before(char32_t c) {
  return (c >= 0x300 && c < 0x370) || (c >= 0x1ab0 && c < 0x1b00) || (c >= 0x20d0 && c < 0x2100) ||
         (c >= 0xfe00 && c < 0xfe10) || c == 0x200d || (c >= 0x1f3fb && c <= 0x1f3ff);
}

char32_t to_upper(char32_t c) {
  if (c >= 'a' && c <= 'z') return c - 32;
  if ((c >= 0xe0 && c <= 0xfe && c != 0xf7)) return c - 32;
  if (c == 0xff) return 0x178;
  if (c >= 0x100 && c < 0x180 && c != 0x131 && c != 0x138 && c != 0x149 && c != 0x17f) {
    const bool odd_is_small = (c < 0x139) || (c >= 0x14a && c < 0x179);
    return (c % 2 == 1) == odd_is_small ? c - 1 : c;
  }
  if (c >= 0x3b1 && c <= 0x3c9) return c == 0x3c2 ? 0x3a3 : c - 32;
  if (c >= 0x430 && c <= 0x44f) return c - 32;
  if (c >= 0x450 && c <= 0x45f) return c - 80;
  return c;
}

char32_t to_lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if ((c >= 0xc0 && c <= 0xde && c != 0xd7)) return c + 32;
  if (c == 0x178) return 0xff;
  if (c >= 0x100 && c < 0x180 && c != 0x130 && c != 0x138 && c != 0x149 && c != 0x17f) {
    const bool odd_is_small = (c < 0x139) || (c >= 0x14a && c < 0x179);
    return (c % 2 == 0) == odd_is_small ? c + 1 : c;
  }
  if (c >= 0x391 && c <= 0x3a9) return c + 32;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

std::string mapped(std::string_view text, char32_t (*map)(char32_t)) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char32_t c = length == 0 ? 0 : code_point(text.substr(0, length));
    const char32_t other = length == 0 ? 0 : map(c);
    if (other == c) {
      out += text.substr(0, length == 0 ? 1 : length);
    } else {
      append(out, other);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> all;
  bool joined = false;  // the character before ended with a joiner
  while (!text.empty()) {
    std::size_t length = sequence_length(text);
    const char32_t c = length == 0 ? 0xfffd : code_point(text.substr(0, length));
    if (length == 0) length = 1;
    const bool is_line_end = text.starts_with("\r\n");
    if (is_line_end) length = 2;
    if (!all.empty() && (joined || joins_the_one_before(c))) {
      all.back() = {all.back().data(), all.back().size() + length};
    } else {
      all.push_back(text.substr(0, length));
    }
    joined = c == 0x200d;
    text.remove_prefix(length);
  }
  return all;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    const char32_t c = code_point(text.substr(0, length));
    if ((length == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) || (length == 4 && (c < 0x10000 || c > 0x10ffff))) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string upper(std::string_view text) { return mapped(text, to_upper); }
std::string lower(std::string_view text) { return mapped(text, to_lower); }

}  // namespace securebase::stack
