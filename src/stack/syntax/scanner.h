// Cuts HCL into tokens on demand. Quoted templates and heredocs are not tokens: the grammar reads their characters
// itself from the cursor, since what ends them depends on what is open around them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "stack/diagnostic.h"

namespace securebase::stack {

enum class TokenKind {
  kEnd,
  kNewline,
  kIdentifier,
  kNumber,
  kQuote,
  kHeredoc,
  kOpenBrace,
  kCloseBrace,
  kOpenBracket,
  kCloseBracket,
  kOpenParenthesis,
  kCloseParenthesis,
  kComma,
  kDot,
  kEllipsis,
  kColon,
  kQuestion,
  kAssign,
  kArrow,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kAnd,
  kOr,
  kNot,
  kStrip,
  kInvalid
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // into the file
  SourceRange range;
};

// "a newline", "\"=\"", "an identifier"
std::string describe(const Token& token);

class Scanner {
 public:
  explicit Scanner(std::shared_ptr<const SourceFile> file) : file_(std::move(file)), text_(file_->text) {}
  // A part of a file alone.
  explicit Scanner(const SourceRange& part)
      : file_(part.file), text_(std::string_view(file_->text).substr(0, part.end.byte)), cursor_(part.start) {}

  // The next token; comments and spaces are skipped, newlines too while they are ignored.
  const Token& peek();
  Token next();
  // Whether newlines are tokens. Returns what held before.
  bool ignore_newlines(bool ignore);

  // Characters, from the end of the last token taken.
  char character(std::size_t ahead = 0) const {
    const std::size_t at = cursor_.byte + ahead;
    return at < text_.size() ? text_[at] : '\0';
  }
  bool at_end() const { return cursor_.byte >= text_.size(); }
  bool looking_at(std::string_view prefix) const { return text_.substr(cursor_.byte).starts_with(prefix); }
  std::string_view rest() const { return text_.substr(cursor_.byte); }
  void advance(std::size_t bytes);
  Position cursor() const { return cursor_; }
  SourceRange range_from(Position start) const { return {file_, start, cursor_}; }
  const std::shared_ptr<const SourceFile>& file() const { return file_; }

 private:
  Token scan();
  void skip_spaces();
  Token token(TokenKind kind, std::size_t bytes);

  std::shared_ptr<const SourceFile> file_;
  std::string_view text_;
  Position cursor_;
  bool ignores_newlines_ = false;
  bool has_peeked_ = false;
  Token peeked_;
  Position before_peeked_;  // where scanning of the peeked token began
  Position after_peeked_;
};

// Bytes of the identifier at the start of `text`, 0 if there is none.
std::size_t identifier_length(std::string_view text);

}  // namespace securebase::stack
