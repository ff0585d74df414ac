// The characters that HTTP is made of (RFC 9110 §5, RFC 9112): tables and small tests that parsers and writers share.
#pragma once

#include <array>
#include <string_view>

#include "net/http/message.h"

namespace securebase::http {

namespace classes {
enum : unsigned char {
  kToken = 1,   // tchar, RFC 9110 §5.6.2
  kValue = 2,   // field-vchar, space and tab: no control character, no DEL; obs-text is allowed
  kTarget = 4,  // what may stand in a request target: visible ASCII without quotes, #, <, > and the backslash
  kHost = 8,    // what may stand in a host name: RFC 3986's reg-name without sub-delims, which no name has
};

constexpr std::array<unsigned char, 256> make() {
  std::array<unsigned char, 256> table{};
  const auto mark = [&table](std::string_view characters, unsigned char as) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] |= as;
  };
  const std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  mark(letters, kToken | kTarget | kHost);
  mark("!#$%&'*+-.^_`|~", kToken);
  mark("-._~%!$&'()*+,;=:@/?", kTarget);
  mark("[]", kTarget);  // not in RFC 3986's path or query, but sent by every browser in queries
  mark("-._~%", kHost);
  for (int c = 0x20; c < 256; ++c) table[static_cast<std::size_t>(c)] |= kValue;
  table[0x7f] &= static_cast<unsigned char>(~kValue);
  table['\t'] |= kValue;
  // Sent raw in queries, as the URL standard has it; they cut nothing and frame nothing.
  mark("{}|^`", kTarget);
  return table;
}
inline constexpr std::array<unsigned char, 256> kTable = make();
}  // namespace classes

inline bool is(char c, unsigned char wanted) { return classes::kTable[static_cast<unsigned char>(c)] & wanted; }

inline bool all_are(std::string_view text, unsigned char wanted) {
  for (const char c : text) {
    if (!is(c, wanted)) return false;
  }
  return true;
}

inline bool is_token(std::string_view text) { return !text.empty() && all_are(text, classes::kToken); }
inline bool is_field_value(std::string_view text) { return all_are(text, classes::kValue); }

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `take` with each element of a comma separated list, without blanks around it; empty elements are left out
// (RFC 9110 §5.6.1.2). Not for lists of quoted strings.
template <class Take>
void for_each_element(std::string_view list, Take take) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto element = trim_blanks(list.substr(0, comma));
    if (!element.empty()) take(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// Fields that belong to one connection and are never handed on (RFC 9110 §7.6.1), besides what Connection names.
bool is_hop_by_hop(std::string_view name);
// Content-Length, Transfer-Encoding, and the hop-by-hop fields: the sender of a message writes them, nobody else.
bool is_framing(std::string_view name);

// Takes hop-by-hop fields, and what `connection` (the joined value of Connection) names, out of `headers`.
void remove_hop_by_hop(Headers& headers, std::string_view connection);

}  // namespace securebase::http
