#include "k6/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostBytes = std::size_t{32} << 20;
constexpr std::size_t kMostDepth = 500;

// Longest first, so that the first that fits is the one.
constexpr std::array<std::string_view, 35> kPunctuators = {
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "?\?=", "=>",
    "==",   "!=",  "<=",  ">=",  "&&",  "||",  "?\?", "?.",  "++",  "--",  "+=",   "-=",
    "*=",   "/=",  "%=",  "&=",  "|=",  "^=",  "<<",  ">>",  "**",  "//",  "/*"};

// After these words an expression begins, so a slash begins a regular expression.
constexpr std::array<std::string_view, 17> kBeforeExpression = {
    "return", "typeof", "instanceof", "in",    "of",    "new",     "delete",  "void",  "throw",
    "case",   "do",     "else",       "yield", "await", "extends", "default", "export"};

bool name_start(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '#' || c == '\\' || c >= 0x80;
}
bool digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool name_part(unsigned char c) { return (name_start(c) && c != '#') || digit(c); }

struct Bracket {
  char open;         // ( [ { or $ for ${
  bool regex_after;  // what a slash behind the closing one begins
};

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    if (source_.size() > kMostBytes) return Error{Errc::kLimit, "1:1: the script is larger than 32 MiB"};
    if (source_.starts_with("#!")) {
      while (at_ < source_.size() && source_[at_] != '\n') ++at_;
    }
    while (true) {
      if (auto skipped = skip_space(); !skipped) return skipped.error();
      if (at_ >= source_.size()) break;
      if (auto taken = take(); !taken) return taken.error();
      newline_ = false;
    }
    if (!open_.empty()) {
      return fail(at_, fmt::format("the script ends inside a '{}' that was never closed", open_.back().open));
    }
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void newline(std::size_t after) {
    ++line_;
    line_start_ = after;
    newline_ = true;
  }

  // Counts the line that ends at `at`, if one does; CR LF is one.
  void count_line(std::size_t at) {
    const char c = source_[at];
    if (c == '\n' || (c == '\r' && (at + 1 >= source_.size() || source_[at + 1] != '\n'))) newline(at + 1);
    // U+2028 and U+2029 end lines too.
    if (c == '\xe2' && source_.substr(at, 3).size() == 3 && source_[at + 1] == '\x80' &&
        (source_[at + 2] == '\xa8' || source_[at + 2] == '\xa9')) {
      newline(at + 3);
    }
  }

  Error fail(std::size_t at, std::string_view message) const {
    const std::size_t column = at >= line_start_ ? at - line_start_ + 1 : 1;
    return Error{Errc::kMalformed, fmt::format("{}:{}: {}", line_, column, message)};
  }

  Result<Done> skip_space() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '/' && peek(1) == '/') {
        while (at_ < source_.size() && source_[at_] != '\n' && source_[at_] != '\r') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        const std::size_t begin = at_;
        const auto end = source_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail(begin, "a comment begins here and has no end: expected */");
        for (; at_ < end; ++at_) count_line(at_);
        at_ = end + 2;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f') {
        count_line(at_++);
      } else if (source_.substr(at_).starts_with("\xef\xbb\xbf")) {
        at_ += 3;
      } else if (source_.substr(at_).starts_with("\xc2\xa0")) {
        at_ += 2;
      } else if (source_.substr(at_).starts_with("\xe2\x80\xa8") || source_.substr(at_).starts_with("\xe2\x80\xa9")) {
        count_line(at_);
        at_ += 3;
      } else {
        return Done{};
      }
    }
    return Done{};
  }

  void add(TokenKind kind, std::size_t begin, std::uint32_t line, std::size_t line_start) {
    tokens_.push_back({kind, newline_, static_cast<std::uint32_t>(open_.size()), line,
                       static_cast<std::uint32_t>(begin - line_start + 1), begin, source_.substr(begin, at_ - begin)});
  }

  Result<Done> take() {
    const std::size_t begin = at_;
    const auto c = static_cast<unsigned char>(source_[at_]);
    if (c == '"' || c == '\'') return take_string();
    if (c == '`') return take_template();
    if (c == '}' && !open_.empty() && open_.back().open == '$') {
      open_.pop_back();
      return take_template();
    }
    if (digit(c) || (c == '.' && digit(static_cast<unsigned char>(peek(1))))) {
      take_number();
      add(TokenKind::kNumber, begin, line_, line_start_);
      return Done{};
    }
    if (name_start(c)) {
      ++at_;
      take_name();
      add(TokenKind::kName, begin, line_, line_start_);
      return Done{};
    }
    if (c == '/' && regex_may_begin()) return take_regex();
    return take_punctuator();
  }

  // Behind its first byte. \u{61} is part of a name.
  void take_name() {
    while (at_ < source_.size()) {
      const auto c = static_cast<unsigned char>(source_[at_]);
      if (c == '{' && at_ >= 2 && source_[at_ - 1] == 'u' && source_[at_ - 2] == '\\') {
        const auto end = source_.find('}', at_);
        if (end == std::string_view::npos) return;
        at_ = end + 1;
      } else if (c == 0xe2 &&
                 (source_.substr(at_).starts_with("\xe2\x80\xa8") || source_.substr(at_).starts_with("\xe2\x80\xa9"))) {
        return;
      } else if (c == 0xc2 && source_.substr(at_).starts_with("\xc2\xa0")) {
        return;
      } else if (name_part(c)) {
        ++at_;
      } else {
        return;
      }
    }
  }

  void take_number() {
    const bool hexadecimal = source_[at_] == '0' && (peek(1) == 'x' || peek(1) == 'X');
    while (at_ < source_.size()) {
      const char c = source_[at_];
      const bool exponent_sign =
          (c == '+' || c == '-') && !hexadecimal && at_ > 0 && (source_[at_ - 1] == 'e' || source_[at_ - 1] == 'E');
      if (!name_part(static_cast<unsigned char>(c)) && c != '.' && !exponent_sign) return;
      ++at_;
    }
  }

  Result<Done> take_string() {
    const std::size_t begin = at_;
    const std::uint32_t line = line_;
    const std::size_t line_start = line_start_;
    const char quote = source_[at_++];
    while (at_ < source_.size() && source_[at_] != quote) {
      if (source_[at_] == '\n' || source_[at_] == '\r') break;
      if (source_[at_] == '\\' && at_ + 1 < source_.size()) {
        ++at_;
        const bool had = newline_;
        if (source_[at_] == '\r' && peek(1) == '\n') ++at_;
        count_line(at_);
        newline_ = had;
      }
      ++at_;
    }
    if (at_ >= source_.size() || source_[at_] != quote) {
      return Error{Errc::kMalformed,
                   fmt::format("{}:{}: a string begins here and does not end on its line: expected {}", line,
                               begin - line_start + 1, quote)};
    }
    ++at_;
    add(TokenKind::kString, begin, line, line_start);
    return Done{};
  }

  // From ` or from the } of ${}, to the next ${ or the end.
  Result<Done> take_template() {
    const std::size_t begin = at_;
    const std::uint32_t line = line_;
    const std::size_t line_start = line_start_;
    const bool had = newline_;
    const std::uint32_t depth = static_cast<std::uint32_t>(open_.size());
    ++at_;
    bool ended = false;
    while (at_ < source_.size() && !ended) {
      if (source_[at_] == '\\') {
        count_line(at_ + 1 < source_.size() ? at_ + 1 : at_);
        at_ += 2;
      } else if (source_[at_] == '`') {
        ++at_;
        ended = true;
      } else if (source_[at_] == '$' && peek(1) == '{') {
        at_ += 2;
        if (open_.size() >= kMostDepth) return fail(begin, "more than 500 levels of brackets");
        open_.push_back({'$', false});
        ended = true;
      } else {
        count_line(at_++);
      }
    }
    if (!ended || at_ > source_.size()) {
      return Error{Errc::kMalformed, fmt::format("{}:{}: a template begins here and has no end: expected `", line,
                                                 begin - line_start + 1)};
    }
    newline_ = had;
    add(TokenKind::kTemplate, begin, line, line_start);
    tokens_.back().depth = depth;
    return Done{};
  }

  Result<Done> take_regex() {
    const std::size_t begin = at_++;
    bool in_class = false;
    while (at_ < source_.size() && (source_[at_] != '/' || in_class)) {
      const char c = source_[at_];
      if (c == '\n' || c == '\r') break;
      if (c == '\\' && at_ + 1 < source_.size()) ++at_;
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      ++at_;
    }
    if (at_ >= source_.size() || source_[at_] != '/') {
      return fail(begin, "a regular expression begins here and does not end on its line: expected /");
    }
    ++at_;
    while (at_ < source_.size() && name_part(static_cast<unsigned char>(source_[at_]))) ++at_;
    add(TokenKind::kRegex, begin, line_, line_start_);
    return Done{};
  }

  bool regex_may_begin() const {
    if (tokens_.empty()) return true;
    const Token& last = tokens_.back();
    switch (last.kind) {
      case TokenKind::kNumber:
      case TokenKind::kString:
      case TokenKind::kRegex:
        return false;
      case TokenKind::kTemplate:
        return last.text.ends_with("${");
      case TokenKind::kName:
        if (tokens_.size() > 1 && (tokens_[tokens_.size() - 2].is(".") || tokens_[tokens_.size() - 2].is("?."))) {
          return false;  // a property that is called like a keyword
        }
        return std::find(kBeforeExpression.begin(), kBeforeExpression.end(), last.text) != kBeforeExpression.end();
      case TokenKind::kPunctuator:
        if (last.text == ")" || last.text == "}") return closed_before_regex_;
        return last.text != "]" && last.text != "++" && last.text != "--";
    }
    return true;
  }

  // Whether the bracket that opens now is followed, after its end, by a new expression: `if (a) /b/`, `{ block } /c/`.
  bool regex_after_bracket(char open) const {
    if (open == '[' || tokens_.empty()) return open == '{';
    const Token& last = tokens_.back();
    const bool property = tokens_.size() > 1 && tokens_[tokens_.size() - 2].is(".");
    if (open == '(') {
      return !property && (last.is("if") || last.is("while") || last.is("for") || last.is("with"));
    }
    if (last.kind == TokenKind::kName) {
      return last.text == "else" || last.text == "do" || last.text == "try" || last.text == "finally";
    }
    if (last.kind != TokenKind::kPunctuator) return false;
    return last.text == ")" || last.text == ";" || last.text == "{" || last.text == "}" || last.text == "=>";
  }

  Result<Done> take_punctuator() {
    const std::size_t begin = at_;
    const char c = source_[at_];
    if (c == '(' || c == '[' || c == '{') {
      if (open_.size() >= kMostDepth) return fail(begin, "more than 500 levels of brackets");
      const bool regex_after = regex_after_bracket(c);
      ++at_;
      add(TokenKind::kPunctuator, begin, line_, line_start_);
      open_.push_back({c, regex_after});
      return Done{};
    }
    if (c == ')' || c == ']' || c == '}') {
      const char open = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (open_.empty()) return fail(begin, fmt::format("'{}' closes nothing", c));
      if (open_.back().open != open) {
        return fail(begin, fmt::format("expected the end of '{}', found '{}'", open_.back().open, c));
      }
      closed_before_regex_ = open_.back().regex_after;
      ++at_;
      add(TokenKind::kPunctuator, begin, line_, line_start_);
      open_.pop_back();
      return Done{};
    }
    const auto rest = source_.substr(at_);
    std::size_t length = 1;
    for (const auto punctuator : kPunctuators) {
      if (!rest.starts_with(punctuator)) continue;
      // a?.5:b is a conditional.
      if (punctuator == "?." && digit(static_cast<unsigned char>(peek(2)))) continue;
      length = punctuator.size();
      break;
    }
    if (static_cast<unsigned char>(c) < 0x20) return fail(begin, "a control character stands outside of any string");
    at_ += length;
    add(TokenKind::kPunctuator, begin, line_, line_start_);
    return Done{};
  }

  const std::string_view source_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::size_t line_start_ = 0;
  bool newline_ = false;
  bool closed_before_regex_ = false;
  std::vector<Bracket> open_;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source) { return Tokenizer(source).run(); }

}  // namespace securebase::k6
