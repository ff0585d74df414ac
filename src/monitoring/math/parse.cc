#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "monitoring/math/syntax.h"

namespace securebase::monitoring::math {

namespace {

struct Token {
  enum class Kind { kEnd, kNumber, kText, kWord, kSign };
  Kind kind = Kind::kEnd;
  std::size_t position = 0;
  std::string text;  // of a sign: the sign itself
  double number = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Error at(std::size_t position, std::string_view what) {
  return {Errc::kMalformed, fmt::format("position {}: {}", position, what)};
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<Token> next() {
    while (place_ < text_.size() && is_space(text_[place_])) ++place_;
    Token token;
    token.position = place_;
    if (place_ == text_.size()) return token;
    const char c = text_[place_];
    if (is_digit(c) || (c == '.' && place_ + 1 < text_.size() && is_digit(text_[place_ + 1]))) return number(token);
    if (is_letter(c)) {
      std::size_t end = place_;
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
      token.kind = Token::Kind::kWord;
      token.text = text_.substr(place_, end - place_);
      place_ = end;
      return token;
    }
    if (c == '\'' || c == '"') return text(token, c);
    token.kind = Token::Kind::kSign;
    for (const std::string_view sign :
         {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "^", "(", ")", "[", "]", ","}) {
      if (text_.substr(place_, sign.size()) != sign) continue;
      token.text = sign;
      place_ += sign.size();
      return token;
    }
    return at(place_, fmt::format("the character '{}' has no meaning here",
                                  c >= ' ' && c < 127 ? std::string(1, c) : fmt::format("\\x{:02x}", c & 0xff)));
  }

 private:
  Result<Token> number(Token token) {
    std::size_t end = place_;
    while (end < text_.size() && (is_digit(text_[end]) || text_[end] == '.')) ++end;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::size_t digits = end + 1;
      if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) ++digits;
      if (digits < text_.size() && is_digit(text_[digits])) {
        end = digits;
        while (end < text_.size() && is_digit(text_[end])) ++end;
      }
    }
    const char* first = text_.data() + place_;
    const char* last = text_.data() + end;
    const auto [stop, failure] = std::from_chars(first, last, token.number);
    if (failure != std::errc{} || stop != last || !std::isfinite(token.number)) {
      return at(place_, fmt::format("\"{}\" is not a number", text_.substr(place_, end - place_)));
    }
    if (end < text_.size() && is_letter(text_[end])) {
      return at(place_, "an id starts with a lower-case letter, not with a digit");
    }
    token.kind = Token::Kind::kNumber;
    place_ = end;
    return token;
  }

  // A backslash takes the next character as it is.
  Result<Token> text(Token token, char quote) {
    for (++place_; place_ < text_.size(); ++place_) {
      if (text_[place_] == quote) {
        ++place_;
        token.kind = Token::Kind::kText;
        return token;
      }
      if (text_[place_] == '\\' && place_ + 1 < text_.size()) ++place_;
      token.text.push_back(text_[place_]);
    }
    return at(token.position, fmt::format("the text that starts here has no closing {}", quote));
  }

  std::string_view text_;
  std::size_t place_ = 0;
};

struct Level {
  std::string_view sign;
  Operator op;
  int strength;
};

// Stronger binds closer. ^ is right-associative.
constexpr int kPowerStrength = 6;
constexpr Level kLevels[] = {{"||", Operator::kOr, 1},
                             {"OR", Operator::kOr, 1},
                             {"&&", Operator::kAnd, 2},
                             {"AND", Operator::kAnd, 2},
                             {"==", Operator::kEqual, 3},
                             {"!=", Operator::kNotEqual, 3},
                             {"<", Operator::kLess, 3},
                             {"<=", Operator::kLessOrEqual, 3},
                             {">", Operator::kGreater, 3},
                             {">=", Operator::kGreaterOrEqual, 3},
                             {"+", Operator::kAdd, 4},
                             {"-", Operator::kSubtract, 4},
                             {"*", Operator::kMultiply, 5},
                             {"/", Operator::kDivide, 5},
                             {"^", Operator::kPower, kPowerStrength}};

std::string shown(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the end";
    case Token::Kind::kNumber:
      return fmt::format("{}", token.number);
    case Token::Kind::kText:
      return fmt::format("'{}'", token.text);
    default:
      return fmt::format("\"{}\"", token.text);
  }
}

class Parser {
 public:
  Parser(std::string_view text, const ParseLimits& limits) : lexer_(text), limits_(limits) {}

  Result<Expression> parse() {
    if (auto done = advance(); !done) return done.error();
    if (token_.kind == Token::Kind::kEnd) return at(0, "the expression is empty");
    auto root = binary(0);
    if (!root) return root.error();
    if (token_.kind != Token::Kind::kEnd) {
      return at(token_.position, fmt::format("expected an operator or the end, got {}", shown(token_)));
    }
    // Nodes are made children first, so the root is the last.
    return std::move(made_);
  }

 private:
  Result<Done> advance() {
    auto token = lexer_.next();
    if (!token) return token.error();
    token_ = std::move(*token);
    return Done{};
  }
  bool is_sign(std::string_view sign) const { return token_.kind == Token::Kind::kSign && token_.text == sign; }
  Result<Done> expect(std::string_view sign) {
    if (!is_sign(sign)) {
      return at(token_.position, fmt::format("expected \"{}\", got {}", sign, shown(token_)));
    }
    return advance();
  }
  std::size_t add(Node node) {
    made_.nodes.push_back(std::move(node));
    return made_.nodes.size() - 1;
  }
  const Level* level() const {
    if (token_.kind != Token::Kind::kSign && token_.kind != Token::Kind::kWord) return nullptr;
    for (const auto& one : kLevels) {
      if (one.sign == token_.text) return &one;
    }
    return nullptr;
  }

  // Precedence climbing.
  Result<std::size_t> binary(int weakest) {
    if (++depth_ > limits_.depth) return at(token_.position, fmt::format("nested deeper than {}", limits_.depth));
    auto left = unary();
    if (!left) return left;
    for (const Level* found = level(); found && found->strength >= weakest; found = level()) {
      Node node;
      node.kind = Node::Kind::kBinary;
      node.op = found->op;
      node.position = token_.position;
      if (auto done = advance(); !done) return done.error();
      auto right = binary(found->strength == kPowerStrength ? found->strength : found->strength + 1);
      if (!right) return right;
      node.children = {*left, *right};
      left = add(std::move(node));
    }
    --depth_;
    return left;
  }

  // -a^2 is -(a^2), as everywhere.
  Result<std::size_t> unary() {
    if (!is_sign("-") && !is_sign("+")) return primary();
    const bool negates = is_sign("-");
    Node node;
    node.kind = Node::Kind::kNegate;
    node.position = token_.position;
    if (auto done = advance(); !done) return done.error();
    auto inner = binary(kPowerStrength);
    if (!inner || !negates) return inner;
    node.children = {*inner};
    return add(std::move(node));
  }

  Result<std::size_t> primary() {
    Node node;
    node.position = token_.position;
    if (is_sign("(")) {
      if (auto done = advance(); !done) return done.error();
      auto inner = binary(0);
      if (!inner) return inner;
      if (auto done = expect(")"); !done) return done.error();
      return inner;
    }
    if (is_sign("[")) {
      node.kind = Node::Kind::kList;
      return list(std::move(node), "]");
    }
    if (token_.kind == Token::Kind::kNumber) {
      node.number = token_.number;
    } else if (token_.kind == Token::Kind::kText) {
      node.kind = Node::Kind::kText;
      node.text = token_.text;
    } else if (token_.kind == Token::Kind::kWord) {
      node.kind = Node::Kind::kName;
      node.text = token_.text;
    } else {
      return at(token_.position, fmt::format("expected a value, got {}", shown(token_)));
    }
    if (auto done = advance(); !done) return done.error();
    if (node.kind == Node::Kind::kName && is_sign("(")) {
      node.kind = Node::Kind::kCall;
      return list(std::move(node), ")");
    }
    return add(std::move(node));
  }

  Result<std::size_t> list(Node node, std::string_view close) {
    if (auto done = advance(); !done) return done.error();
    if (!is_sign(close)) {
      for (;;) {
        auto element = binary(0);
        if (!element) return element;
        node.children.push_back(*element);
        if (!is_sign(",")) break;
        if (auto done = advance(); !done) return done.error();
      }
    }
    if (auto done = expect(close); !done) return done.error();
    return add(std::move(node));
  }

  Lexer lexer_;
  const ParseLimits& limits_;
  Token token_;
  Expression made_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<Expression> parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes) {
    return Error{Errc::kLimit,
                 fmt::format("the expression has {} bytes; at most {} are read", text.size(), limits.bytes)};
  }
  return Parser(text, limits).parse();
}

}  // namespace securebase::monitoring::math
