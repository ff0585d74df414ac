#include "stack/syntax/scanner.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct Decoded {
  char32_t point = 0;
  std::size_t bytes = 0;  // 0: no valid UTF-8
};

Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) >= 0xc2 && byte(0) < 0xe0 && tail(1)) return {char32_t(byte(0) & 0x1f) << 6 | (byte(1) & 0x3fu), 2};
  if ((byte(0) & 0xf0) == 0xe0 && tail(1) && tail(2)) {
    return {char32_t(byte(0) & 0x0f) << 12 | char32_t(byte(1) & 0x3f) << 6 | (byte(2) & 0x3fu), 3};
  }
  if (byte(0) >= 0xf0 && byte(0) < 0xf5 && tail(1) && tail(2) && tail(3)) {
    return {char32_t(byte(0) & 0x07) << 18 | char32_t(byte(1) & 0x3f) << 12 | char32_t(byte(2) & 0x3f) << 6 |
                (byte(3) & 0x3fu),
            4};
  }
  return {};
}

// Letters beyond ASCII. The blocks of punctuation, symbols, spaces and controls are out; the rest of UAX #31's finer
// exceptions make no difference to a name that people write.
bool is_foreign_letter(char32_t c) {
  if (c < 0xc0) return c == 0xaa || c == 0xb5 || c == 0xba;
  if (c == 0xd7 || c == 0xf7) return false;
  if (c >= 0x2000 && c < 0x2c00) return c == 0x2071 || c == 0x207f || (c >= 0x2100 && c < 0x2190);
  if (c >= 0x3000 && c < 0x3005) return false;
  if (c >= 0xd800 && c < 0xf900) return false;
  if (c >= 0xfe00 && c < 0xfe70) return false;
  if (c >= 0xfeff && c < 0xff10) return false;
  return c < 0x1f000 || c >= 0x20000;
}

std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  const auto at = [&](std::size_t k) { return k < text.size() ? text[k] : '\0'; };
  while (is_digit(at(i))) ++i;
  if (at(i) == '.' && is_digit(at(i + 1))) {
    ++i;
    while (is_digit(at(i))) ++i;
  }
  if (at(i) == 'e' || at(i) == 'E') {
    const std::size_t sign = at(i + 1) == '+' || at(i + 1) == '-' ? 1 : 0;
    if (is_digit(at(i + 1 + sign))) {
      i += 1 + sign;
      while (is_digit(at(i))) ++i;
    }
  }
  return i;
}

}  // namespace

std::size_t identifier_length(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (is_letter(c) || (i > 0 && (is_digit(c) || c == '-'))) {
      ++i;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      const Decoded next = decode(text.substr(i));
      if (next.bytes == 0 || !is_foreign_letter(next.point)) break;
      i += next.bytes;
    } else {
      break;
    }
  }
  return i;
}

bool is_identifier(std::string_view text) { return !text.empty() && identifier_length(text) == text.size(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kNewline:
      return "a newline";
    case TokenKind::kQuote:
      return "a quoted string";
    case TokenKind::kHeredoc:
      return "a heredoc";
    default:
      return fmt::format("\"{}\"", token.text);
  }
}

void Scanner::advance(std::size_t bytes) {
  for (const char c : text_.substr(cursor_.byte, bytes)) {
    ++cursor_.byte;
    if (c == '\n') {
      ++cursor_.line;
      cursor_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++cursor_.column;
    }
  }
}

const Token& Scanner::peek() {
  if (!has_peeked_) {
    before_peeked_ = cursor_;
    peeked_ = scan();
    after_peeked_ = cursor_;
    cursor_ = before_peeked_;
    has_peeked_ = true;
  }
  return peeked_;
}

Token Scanner::next() {
  Token token = peek();
  cursor_ = after_peeked_;
  has_peeked_ = false;
  return token;
}

bool Scanner::ignore_newlines(bool ignore) {
  const bool before = ignores_newlines_;
  if (before != ignore) has_peeked_ = false;
  ignores_newlines_ = ignore;
  return before;
}

void Scanner::skip_spaces() {
  while (!at_end()) {
    const char c = character();
    if (c == ' ' || c == '\t' || (ignores_newlines_ && (c == '\n' || c == '\r'))) {
      advance(1);
    } else if (c == '\r' && character(1) == '\n') {
      advance(1);
    } else if (c == '#' || looking_at("//")) {
      const std::size_t end = rest().find('\n');
      advance(end == std::string_view::npos ? rest().size() : end);
    } else if (looking_at("/*")) {
      const std::size_t end = rest().find("*/", 2);
      if (end == std::string_view::npos) return;  // scan() reports it
      advance(end + 2);
    } else if (cursor_.byte == 0 && looking_at("\xef\xbb\xbf")) {
      advance(3);
    } else {
      return;
    }
  }
}

Token Scanner::token(TokenKind kind, std::size_t bytes) {
  const Position start = cursor_;
  const std::string_view text = text_.substr(cursor_.byte, bytes);
  advance(bytes);
  return {kind, text, {file_, start, cursor_}};
}

Token Scanner::scan() {
  using enum TokenKind;
  skip_spaces();
  if (at_end()) return token(kEnd, 0);
  const char c = character();
  if (const std::size_t length = identifier_length(rest())) return token(kIdentifier, length);
  if (is_digit(c)) return token(kNumber, number_length(rest()));
  if (looking_at("<<") && (is_letter(character(2)) || (character(2) == '-' && is_letter(character(3))))) {
    return token(kHeredoc, 2);
  }
  static constexpr std::pair<std::string_view, TokenKind> kSymbols[] = {{"...", kEllipsis},
                                                                        {"=>", kArrow},
                                                                        {"==", kEqual},
                                                                        {"!=", kNotEqual},
                                                                        {"<=", kLessOrEqual},
                                                                        {">=", kGreaterOrEqual},
                                                                        {"&&", kAnd},
                                                                        {"||", kOr},
                                                                        {"\n", kNewline},
                                                                        {"\"", kQuote},
                                                                        {"{", kOpenBrace},
                                                                        {"}", kCloseBrace},
                                                                        {"[", kOpenBracket},
                                                                        {"]", kCloseBracket},
                                                                        {"(", kOpenParenthesis},
                                                                        {")", kCloseParenthesis},
                                                                        {",", kComma},
                                                                        {".", kDot},
                                                                        {":", kColon},
                                                                        {"?", kQuestion},
                                                                        {"=", kAssign},
                                                                        {"<", kLess},
                                                                        {">", kGreater},
                                                                        {"+", kPlus},
                                                                        {"-", kMinus},
                                                                        {"*", kStar},
                                                                        {"%", kPercent},
                                                                        {"!", kNot},
                                                                        {"~", kStrip}};
  for (const auto& [symbol, kind] : kSymbols) {
    if (looking_at(symbol)) return token(kind, symbol.size());
  }
  if (c == '/' && !looking_at("/*")) return token(kSlash, 1);
  return token(kInvalid, std::max<std::size_t>(1, looking_at("/*") ? 2 : decode(rest()).bytes));
}

}  // namespace securebase::stack
