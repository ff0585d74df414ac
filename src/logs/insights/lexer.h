// Cuts a query into words, signs and texts, one at a time: whether a "/" divides or begins a regular expression only
// the parser knows, so it asks.
#pragma once

#include <string>
#include <string_view>

#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

struct Token {
  enum class Kind { kEnd, kNumber, kWord, kQuotedName, kText, kSign };
  Kind kind = Kind::kEnd;
  Place place;
  std::string text;    // of a text or a quoted name: without its quotes
  double number = 0;   // kNumber
  bool glued = false;  // nothing stands between it and the token before
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Parsed<Token> next();
  // True when a regular expression could begin at `token`, the last that was given.
  static bool begins_regex(const Token& token) { return token.kind == Token::Kind::kSign && token.text == "/"; }
  // From the "/" that `token` is to the closing one: kText with what is between.
  Parsed<Token> regex(const Token& token);
  std::string_view text() const { return text_; }

 private:
  void skip_blank();
  Parsed<Token> quoted(Token token, char quote);
  Parsed<Token> quoted_name(Token token);

  std::string_view text_;
  std::size_t place_ = 0;
};

// What an error message calls it: the end of the query, "text", 'sign'.
std::string shown(const Token& token);
std::string lower_case(std::string_view text);  // ASCII

}  // namespace securebase::logs::insights
