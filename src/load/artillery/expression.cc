#include "load/artillery/expression.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "load/artillery/spelling.h"
#include "load/artillery/template.h"

namespace securebase::load::artillery {

struct Expression::Node {
  enum class Kind { kConstant, kName, kOr, kAnd, kNot, kNegate, kBinary, kMatch, kIn, kChoice, kCall };
  Kind kind = Kind::kConstant;
  base::Json constant;
  std::string word;                         // a name, an operator, a function
  std::shared_ptr<const re2::RE2> pattern;  // of kMatch, when the pattern is a constant
  std::vector<std::shared_ptr<const Node>> parts;
};

bool truthy(const base::Json& value) {
  if (value.is_null()) return false;
  if (value.is_bool()) return value.bool_or(false);
  if (value.is_number()) return value.number_or(0) != 0 && !std::isnan(value.number_or(0));
  if (const auto* text = value.as_string()) return !text->empty();
  return true;
}

double as_number(const base::Json& value) {
  if (value.is_number()) return value.number_or(0);
  if (value.is_bool()) return value.bool_or(false) ? 1 : 0;
  if (const auto* text = value.as_string()) {
    double number = 0;
    const auto got = std::from_chars(text->data(), text->data() + text->size(), number);
    if (text->empty()) return 0;
    return got.ec == std::errc{} && got.ptr == text->data() + text->size() ? number
                                                                           : std::numeric_limits<double>::quiet_NaN();
  }
  return std::numeric_limits<double>::quiet_NaN();
}

namespace {

using ExprNode = Expression::Node;
using ExprPointer = std::shared_ptr<const ExprNode>;
using ExprKind = ExprNode::Kind;

constexpr std::array<std::string_view, 14> kExpressionFunctions = {"abs",    "ceil",   "exists", "empty", "floor",
                                                                   "length", "log",    "log2",   "log10", "max",
                                                                   "min",    "random", "round",  "sqrt"};

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool in_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '.'; }

ExprPointer make_part(ExprKind kind, std::string word, std::vector<ExprPointer> parts) {
  auto node = std::make_shared<ExprNode>();
  node->kind = kind;
  node->word = std::move(word);
  node->parts = std::move(parts);
  return node;
}

struct ExprToken {
  enum class Kind { kEnd, kNumber, kText, kName, kMark };
  Kind kind = Kind::kEnd;
  std::string text;
  double number = 0;
  std::size_t at = 0;
};

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, const std::vector<std::string>& names, int depth)
      : text_(text), names_(names), most_depth_(depth) {}

  Result<ExprPointer> read() {
    if (auto moved = next(); !moved) return moved.error();
    auto made = choice(0);
    if (!made) return made;
    if (token_.kind != ExprToken::Kind::kEnd) return wrong("expected an operator or the end");
    return made;
  }

 private:
  Error wrong(std::string_view expected) const {
    const std::string came = token_.kind == ExprToken::Kind::kEnd ? "the end" : fmt::format("\"{}\"", token_.text);
    return Error{Errc::kMalformed, fmt::format("column {}: {}, and {} came", token_.at + 1, expected, came)};
  }

  bool is(std::string_view mark) const {
    return (token_.kind == ExprToken::Kind::kMark || token_.kind == ExprToken::Kind::kName) && token_.text == mark;
  }

  Result<Done> next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    token_ = ExprToken{};
    token_.at = at_;
    if (at_ >= text_.size()) return Done{};
    if (take_known_name()) return Done{};
    const char c = text_[at_];
    if ((c >= '0' && c <= '9') ||
        (c == '.' && at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9')) {
      return take_number();
    }
    if (c == '"' || c == '\'') return take_quoted(c);
    if (starts_name(c)) {
      const auto begin = at_;
      while (at_ < text_.size() && in_name(text_[at_])) ++at_;
      token_.kind = ExprToken::Kind::kName;
      token_.text = std::string(text_.substr(begin, at_ - begin));
      return Done{};
    }
    for (const std::string_view mark :
         {"==", "!=", "<=", ">=", "~=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", ",", "?", ":"}) {
      if (text_.substr(at_).starts_with(mark)) {
        token_.kind = ExprToken::Kind::kMark;
        token_.text = std::string(mark);
        at_ += mark.size();
        return Done{};
      }
    }
    return Error{Errc::kMalformed,
                 fmt::format("column {}: \"{}\" is no part of an expression{}", at_ + 1, text_[at_],
                             c == '&' || c == '|' || c == '=' || c == '!' ? " (write and, or, ==, not)" : "")};
  }

  bool take_known_name() {
    const std::string* best = nullptr;
    for (const auto& name : names_) {
      if (text_.substr(at_).starts_with(name) && (best == nullptr || name.size() > best->size())) best = &name;
    }
    if (best == nullptr) return false;
    // "p95" inside of "p956" is another name.
    const auto after = at_ + best->size();
    if (in_name(best->back()) && after < text_.size() && in_name(text_[after])) return false;
    token_.kind = ExprToken::Kind::kName;
    token_.text = *best;
    at_ = after;
    known_ = true;
    return true;
  }

  Result<Done> take_number() {
    const char* begin = text_.data() + at_;
    const auto got = std::from_chars(begin, text_.data() + text_.size(), token_.number);
    if (got.ec != std::errc{}) return wrong("expected a number");
    token_.kind = ExprToken::Kind::kNumber;
    token_.text = std::string(begin, got.ptr);
    at_ += static_cast<std::size_t>(got.ptr - begin);
    return Done{};
  }

  Result<Done> take_quoted(char quote) {
    token_.kind = quote == '"' ? ExprToken::Kind::kText : ExprToken::Kind::kName;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == quote || text_[at_ + 1] == '\\')) ++at_;
      token_.text += text_[at_];
    }
    if (at_ >= text_.size()) {
      return Error{Errc::kMalformed, fmt::format("column {}: the quote {} is not closed", token_.at + 1, quote)};
    }
    ++at_;
    quoted_name_ = quote == '\'';
    return Done{};
  }

  Result<ExprPointer> choice(int depth) {
    auto condition = any_of(depth);
    if (!condition || !is("?")) return condition;
    if (auto moved = next(); !moved) return moved.error();
    auto yes = choice(depth + 1);
    if (!yes) return yes;
    if (!is(":")) return wrong("expected : of the ? before");
    if (auto moved = next(); !moved) return moved.error();
    auto no = choice(depth + 1);
    if (!no) return no;
    return make_part(ExprKind::kChoice, "?", {*condition, *yes, *no});
  }

  using Level = Result<ExprPointer> (ExpressionParser::*)(int);
  Result<ExprPointer> chain(Level below, std::initializer_list<std::string_view> operators, ExprKind kind, int depth) {
    auto left = (this->*below)(depth);
    int links = 0;
    while (left && std::find_if(operators.begin(), operators.end(), [&](auto o) { return is(o); }) != operators.end()) {
      // Each link is a level of the tree that is evaluated.
      if (++links + depth > most_depth_) return wrong(fmt::format("expected at most {} levels", most_depth_));
      std::string word = token_.text;
      if (auto moved = next(); !moved) return moved.error();
      auto right = (this->*below)(depth);
      if (!right) return right;
      left = make_part(kind, std::move(word), {*left, *right});
    }
    return left;
  }

  Result<ExprPointer> any_of(int depth) {
    if (depth > most_depth_) return wrong(fmt::format("expected at most {} levels", most_depth_));
    return chain(&ExpressionParser::all_of, {"or"}, ExprKind::kOr, depth);
  }
  Result<ExprPointer> all_of(int depth) { return chain(&ExpressionParser::contained, {"and"}, ExprKind::kAnd, depth); }

  // filtrex binds `in` more loosely than comparisons, and `not` as closely as a minus: "not a == b" is "(not a) == b".
  Result<ExprPointer> contained(int depth) {
    auto left = equality(depth);
    for (int links = 0; left && (is("in") || is("not")); ++links) {
      if (links + depth > most_depth_) return wrong(fmt::format("expected at most {} levels", most_depth_));
      const bool negated = is("not");
      if (negated) {
        if (auto moved = next(); !moved) return moved.error();
        if (!is("in")) return wrong("expected in after not");
      }
      left = membership(*left, negated, depth);
    }
    return left;
  }

  Result<ExprPointer> equality(int depth) {
    auto left = relation(depth);
    for (int links = 0; left && (is("==") || is("!=") || is("~=")); ++links) {
      if (links + depth > most_depth_) return wrong(fmt::format("expected at most {} levels", most_depth_));
      std::string word = token_.text;
      if (auto moved = next(); !moved) return moved.error();
      auto right = relation(depth);
      if (!right) return right;
      left = word == "~=" ? match(*left, *right) : make_part(ExprKind::kBinary, std::move(word), {*left, *right});
    }
    return left;
  }
  Result<ExprPointer> relation(int depth) {
    return chain(&ExpressionParser::sum, {"<", "<=", ">", ">="}, ExprKind::kBinary, depth);
  }

  Result<ExprPointer> match(const ExprPointer& left, const ExprPointer& right) {
    auto node = std::make_shared<ExprNode>();
    node->kind = ExprKind::kMatch;
    node->parts = {left, right};
    if (right->kind == ExprKind::kConstant) {
      std::string pattern;
      append_as_text(&right->constant, pattern);
      node->pattern = std::make_shared<const re2::RE2>(pattern, re2::RE2::Quiet);
      if (!node->pattern->ok()) {
        return Error{Errc::kMalformed,
                     fmt::format("\"{}\" is no regular expression: {}", pattern, node->pattern->error())};
      }
    }
    return ExprPointer(node);
  }

  Result<ExprPointer> membership(const ExprPointer& left, bool negated, int depth) {
    if (auto moved = next(); !moved) return moved.error();
    if (!is("(")) return wrong("expected ( and the list of values after in");
    std::vector<ExprPointer> parts = {left};
    do {
      if (auto moved = next(); !moved) return moved.error();
      auto value = choice(depth + 1);
      if (!value) return value;
      parts.push_back(*value);
    } while (is(","));
    if (!is(")")) return wrong("expected , or )");
    if (auto moved = next(); !moved) return moved.error();
    auto in = make_part(ExprKind::kIn, "in", std::move(parts));
    return negated ? make_part(ExprKind::kNot, "not", {in}) : in;
  }

  Result<ExprPointer> sum(int depth) { return chain(&ExpressionParser::product, {"+", "-"}, ExprKind::kBinary, depth); }
  Result<ExprPointer> product(int depth) {
    return chain(&ExpressionParser::power, {"*", "/", "%", "mod"}, ExprKind::kBinary, depth);
  }
  Result<ExprPointer> power(int depth) { return chain(&ExpressionParser::unary, {"^"}, ExprKind::kBinary, depth); }

  Result<ExprPointer> unary(int depth) {
    if (depth > most_depth_) return wrong(fmt::format("expected at most {} levels", most_depth_));
    const bool negates = is("not");
    if (!negates && !is("-")) return primary(depth);
    if (auto moved = next(); !moved) return moved.error();
    auto inner = unary(depth + 1);
    if (!inner) return inner;
    return negates ? make_part(ExprKind::kNot, "not", {*inner}) : make_part(ExprKind::kNegate, "-", {*inner});
  }

  Result<ExprPointer> primary(int depth) {
    const ExprToken token = token_;
    const bool whole = known_ || quoted_name_;
    known_ = quoted_name_ = false;
    if (token.kind == ExprToken::Kind::kNumber || token.kind == ExprToken::Kind::kText) {
      auto node = std::make_shared<ExprNode>();
      node->constant = token.kind == ExprToken::Kind::kNumber ? base::Json(token.number) : base::Json(token.text);
      if (auto moved = next(); !moved) return moved.error();
      return ExprPointer(node);
    }
    if (token.kind == ExprToken::Kind::kName) {
      for (const std::string_view reserved : {"and", "or", "in", "mod", "of"}) {
        if (token.text == reserved && !whole) return wrong("expected a value");
      }
      if (auto moved = next(); !moved) return moved.error();
      if (!whole && is("(")) return call(token, depth);
      return make_part(ExprKind::kName, token.text, {});
    }
    if (!is("(")) return wrong("expected a value");
    if (auto moved = next(); !moved) return moved.error();
    auto inner = choice(depth + 1);
    if (!inner) return inner;
    if (!is(")")) return wrong("expected )");
    if (auto moved = next(); !moved) return moved.error();
    return inner;
  }

  Result<ExprPointer> call(const ExprToken& name, int depth) {
    if (std::find(kExpressionFunctions.begin(), kExpressionFunctions.end(), name.text) == kExpressionFunctions.end()) {
      return Error{Errc::kMalformed,
                   fmt::format("column {}: there is no function {}(){}", name.at + 1, name.text,
                               did_you_mean(name.text, std::vector<std::string_view>(kExpressionFunctions.begin(),
                                                                                     kExpressionFunctions.end())))};
    }
    std::vector<ExprPointer> parts;
    do {
      if (auto moved = next(); !moved) return moved.error();
      if (parts.empty() && is(")")) break;
      auto argument = choice(depth + 1);
      if (!argument) return argument;
      parts.push_back(*argument);
    } while (is(","));
    if (!is(")")) return wrong("expected , or )");
    if (auto moved = next(); !moved) return moved.error();
    if (parts.empty())
      return Error{Errc::kMalformed, fmt::format("column {}: {}() takes a value", name.at + 1, name.text)};
    return make_part(ExprKind::kCall, name.text, std::move(parts));
  }

  const std::string_view text_;
  const std::vector<std::string>& names_;
  const int most_depth_;
  std::size_t at_ = 0;
  ExprToken token_;
  bool known_ = false;        // the token is one of `names_`
  bool quoted_name_ = false;  // the token is a name in single quotes
};

bool loosely_equal(const base::Json& a, const base::Json& b) {
  if (a.is_string() && b.is_string()) return *a.as_string() == *b.as_string();
  const bool scalars =
      (a.is_string() || a.is_number() || a.is_bool()) && (b.is_string() || b.is_number() || b.is_bool());
  return scalars ? as_number(a) == as_number(b) : a == b;
}

base::Json number_value(double number) {
  if (std::isnan(number)) return {};
  if (number == std::floor(number) && std::abs(number) < 9e15) return static_cast<std::int64_t>(number);
  return number;
}

base::Json binary(const std::string& word, const base::Json& a, const base::Json& b) {
  if (word == "==") return loosely_equal(a, b) ? 1 : 0;
  if (word == "!=") return loosely_equal(a, b) ? 0 : 1;
  if (word == "<" || word == "<=" || word == ">" || word == ">=") {
    int order = 0;
    if (a.is_string() && b.is_string()) {
      order = a.as_string()->compare(*b.as_string());
    } else {
      const double left = as_number(a);
      const double right = as_number(b);
      if (std::isnan(left) || std::isnan(right)) return 0;
      order = left < right ? -1 : left > right ? 1 : 0;
    }
    if (word == "<") return order < 0 ? 1 : 0;
    if (word == "<=") return order <= 0 ? 1 : 0;
    return word == ">" ? (order > 0 ? 1 : 0) : (order >= 0 ? 1 : 0);
  }
  if (word == "+" && (a.is_string() || b.is_string())) {
    std::string joined;
    append_as_text(&a, joined);
    append_as_text(&b, joined);
    return joined;
  }
  const double left = as_number(a);
  const double right = as_number(b);
  if (word == "+") return number_value(left + right);
  if (word == "-") return number_value(left - right);
  if (word == "*") return number_value(left * right);
  if (word == "/") return number_value(left / right);
  if (word == "^") return number_value(std::pow(left, right));
  return number_value(std::fmod(left, right));
}

// As JavaScript counts: a character beyond the first plane is two.
std::int64_t utf16_units(std::string_view text) {
  std::int64_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

base::Json function_value(const std::string& name, const std::vector<base::Json>& values) {
  const base::Json& first = values.front();
  if (name == "exists") return first.is_null() ? 0 : 1;
  if (name == "empty") return truthy(first) && !(first.is_array() && first.as_array()->empty()) ? 0 : 1;
  if (name == "length") {
    if (const auto* text = first.as_string()) return utf16_units(*text);
    if (const auto* array = first.as_array()) return std::int64_t(array->size());
    return {};
  }
  double number = as_number(first);
  if (name == "min" || name == "max") {
    for (const auto& value : values)
      number = name == "min" ? std::min(number, as_number(value)) : std::max(number, as_number(value));
    return number_value(number);
  }
  if (name == "abs") return number_value(std::abs(number));
  if (name == "random") return Random::of_thread().fraction();
  if (name == "ceil") return number_value(std::ceil(number));
  if (name == "floor") return number_value(std::floor(number));
  if (name == "round") return number_value(std::floor(number + 0.5));
  if (name == "sqrt") return number_value(std::sqrt(number));
  if (name == "log") return number_value(std::log(number));
  if (name == "log2") return number_value(std::log2(number));
  return number_value(std::log10(number));
}

base::Json value_of(const ExprNode& node, const Expression::Lookup& lookup) {
  const auto part = [&](std::size_t i) { return value_of(*node.parts[i], lookup); };
  switch (node.kind) {
    case ExprKind::kConstant:
      return node.constant;
    case ExprKind::kName: {
      const auto* found = lookup(node.word);
      return found != nullptr ? *found : base::Json();
    }
    // Number(a || b), Number(a && b): of texts that are no numbers it is NaN, which does not hold.
    case ExprKind::kOr: {
      const auto left = part(0);
      return number_value(as_number(truthy(left) ? left : part(1)));
    }
    case ExprKind::kAnd: {
      const auto left = part(0);
      return number_value(as_number(truthy(left) ? part(1) : left));
    }
    case ExprKind::kNot:
      return truthy(part(0)) ? 0 : 1;
    case ExprKind::kNegate:
      return number_value(-as_number(part(0)));
    case ExprKind::kBinary:
      return binary(node.word, part(0), part(1));
    case ExprKind::kMatch: {
      const auto value = part(0);
      std::string text;
      append_as_text(&value, text);
      if (node.pattern) return re2::RE2::PartialMatch(text, *node.pattern) ? 1 : 0;
      const auto right = part(1);
      std::string source;
      append_as_text(&right, source);
      const re2::RE2 pattern(source, re2::RE2::Quiet);
      return pattern.ok() && re2::RE2::PartialMatch(text, pattern) ? 1 : 0;
    }
    case ExprKind::kIn: {
      const auto value = part(0);
      for (std::size_t i = 1; i < node.parts.size(); ++i) {
        if (loosely_equal(value, part(i))) return 1;
      }
      return 0;
    }
    case ExprKind::kChoice:
      return truthy(part(0)) ? part(1) : part(2);
    case ExprKind::kCall: {
      std::vector<base::Json> values;
      for (std::size_t i = 0; i < node.parts.size(); ++i) values.push_back(part(i));
      return function_value(node.word, values);
    }
  }
  return {};
}

void collect_names(const ExprNode& node, std::vector<std::string>& into) {
  if (node.kind == ExprKind::kName && std::find(into.begin(), into.end(), node.word) == into.end())
    into.push_back(node.word);
  for (const auto& part : node.parts) collect_names(*part, into);
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text, const std::vector<std::string>& names, Limits limits) {
  if (text.size() > limits.text_bytes) {
    return Error{Errc::kLimit, fmt::format("an expression has at most {} bytes", limits.text_bytes)};
  }
  auto root = ExpressionParser(text, names, limits.depth).read();
  if (!root) return root.error();
  Expression made;
  made.source_ = std::string(text);
  made.root_ = std::move(*root);
  return made;
}

base::Json Expression::evaluate(const Lookup& lookup) const { return root_ ? value_of(*root_, lookup) : base::Json(); }
bool Expression::truthy(const Lookup& lookup) const { return artillery::truthy(evaluate(lookup)); }

std::vector<std::string> Expression::names() const {
  std::vector<std::string> found;
  if (root_) collect_names(*root_, found);
  return found;
}

}  // namespace securebase::load::artillery
