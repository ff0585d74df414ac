#include "logs/insights/lexer.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace securebase::logs::insights {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '@' || c == '_' || c == '.';
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

std::string shown_character(char c) {
  return c >= ' ' && c < 127 ? std::string(1, c) : fmt::format("\\x{:02x}", c & 0xff);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string shown(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the end of the query";
    case Token::Kind::kText:
      return fmt::format("the text \"{}\"", token.text.substr(0, 40));
    case Token::Kind::kSign:
      return fmt::format("'{}'", token.text);
    default:
      return fmt::format("\"{}\"", token.text.substr(0, 80));
  }
}

Malformed malformed(std::string_view text, Place place, std::string message) {
  const auto characters = [text](std::size_t bytes) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < bytes && i < text.size(); ++i) count += (text[i] & 0xC0) != 0x80;
    return count;
  };
  return {std::move(message), characters(place.begin), characters(std::max(place.begin, place.end))};
}

void Lexer::skip_blank() {
  while (place_ < text_.size()) {
    if (is_blank(text_[place_])) {
      ++place_;
    } else if (text_[place_] == '#') {
      while (place_ < text_.size() && text_[place_] != '\n') ++place_;
    } else {
      return;
    }
  }
}

Parsed<Token> Lexer::next() {
  const std::size_t before = place_;
  skip_blank();
  Token token;
  token.glued = before == place_ && before != 0;
  token.place = {place_, place_};
  if (place_ == text_.size()) return token;
  const char c = text_[place_];
  if (is_word(c)) {
    std::size_t end = place_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    token.text = text_.substr(place_, end - place_);
    token.place.end = place_ = end;
    const char* const last = token.text.data() + token.text.size();
    const auto [stop, failure] = std::from_chars(token.text.data(), last, token.number);
    const bool digits = token.text[0] == '.' || (token.text[0] >= '0' && token.text[0] <= '9');
    token.kind = digits && failure == std::errc{} && stop == last ? Token::Kind::kNumber : Token::Kind::kWord;
    return token;
  }
  if (c == '"' || c == '\'') return quoted(std::move(token), c);
  if (c == '`') return quoted_name(std::move(token));
  for (const std::string_view sign : {"!=", "<=", ">=", "=~", "==", "=", "<", ">", "+", "-", "*", "/",
                                      "^",  "%",  "(",  ")",  "[",  "]", ",", "|", ":", "{", "}"}) {
    if (text_.substr(place_, sign.size()) != sign) continue;
    token.kind = Token::Kind::kSign;
    token.text = sign;
    token.place.end = place_ += sign.size();
    if (sign == "==") return malformed(text_, token.place, "equality is written with one sign: =");
    if (sign == "|" && text_.substr(place_, 1) == "|") {
      return malformed(text_, {token.place.begin, place_ + 1}, "written as a word: or");
    }
    return token;
  }
  if (c == '&') return malformed(text_, {place_, place_ + 1}, "written as a word: and");
  if (c == '!') return malformed(text_, {place_, place_ + 1}, "written as a word: not");
  return malformed(text_, {place_, place_ + 1},
                   fmt::format("the character '{}' has no meaning here; a field with such a character in its name is "
                               "written in back-ticks: `name`",
                               shown_character(c)));
}

// A backslash takes the quote or a backslash as it is, and makes \n, \t and \r; before anything else it stands for
// itself, so that "C:\dir" means what it says.
Parsed<Token> Lexer::quoted(Token token, char quote) {
  token.kind = Token::Kind::kText;
  for (std::size_t i = place_ + 1; i < text_.size(); ++i) {
    char c = text_[i];
    if (c == quote) {
      token.place.end = place_ = i + 1;
      return token;
    }
    if (c == '\\' && i + 1 < text_.size()) {
      const char next = text_[i + 1];
      const std::string_view known = "\"'\\ntr";
      if (const auto at = known.find(next); at != std::string_view::npos) {
        c = "\"'\\\n\t\r"[at];
        ++i;
      }
    }
    token.text.push_back(c);
  }
  return malformed(text_, {place_, text_.size()}, fmt::format("the text that starts here has no closing {}", quote));
}

Parsed<Token> Lexer::quoted_name(Token token) {
  const auto end = text_.find('`', place_ + 1);
  if (end == std::string_view::npos) {
    return malformed(text_, {place_, text_.size()}, "the name that starts here has no closing back-tick");
  }
  token.kind = Token::Kind::kQuotedName;
  token.text = text_.substr(place_ + 1, end - place_ - 1);
  token.place.end = place_ = end + 1;
  if (token.text.empty()) return malformed(text_, token.place, "a name of no characters");
  return token;
}

// A slash inside brackets belongs to the expression, as does one behind a backslash.
Parsed<Token> Lexer::regex(const Token& token) {
  Token found;
  found.kind = Token::Kind::kText;
  found.place = token.place;
  bool bracketed = false;
  for (std::size_t i = token.place.begin + 1; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '/' && !bracketed) {
      found.place.end = place_ = i + 1;
      return found;
    }
    if (c == '\\' && i + 1 < text_.size()) {
      if (text_[i + 1] != '/') found.text.push_back(c);
      found.text.push_back(text_[++i]);
      continue;
    }
    if (c == '[') bracketed = true;
    if (c == ']') bracketed = false;
    found.text.push_back(c);
  }
  return malformed(text_, {token.place.begin, text_.size()},
                   "the regular expression that starts here has no closing /");
}

}  // namespace securebase::logs::insights
