#include <fmt/format.h>

#include <algorithm>

#include "logs/insights/functions.h"
#include "logs/insights/parser.h"
#include "logs/insights/period.h"

namespace securebase::logs::insights {

namespace {

struct Written {
  std::string_view sign;
  Operator op;
};
constexpr Written kComparisons[] = {{"=", Operator::kEqual},   {"!=", Operator::kNotEqual},
                                    {"<", Operator::kLess},    {"<=", Operator::kLessOrEqual},
                                    {">", Operator::kGreater}, {">=", Operator::kGreaterOrEqual}};
constexpr Written kSums[] = {{"+", Operator::kAdd}, {"-", Operator::kSubtract}};
constexpr Written kProducts[] = {{"*", Operator::kMultiply}, {"/", Operator::kDivide}, {"%", Operator::kModulo}};

Expression join_two(Operator op, Expression left, Expression right) {
  Expression both;
  both.kind = Expression::Kind::kBinary;
  both.op = op;
  both.place = {left.place.begin, right.place.end};
  both.children.push_back(std::move(left));
  both.children.push_back(std::move(right));
  return both;
}

Expression wrap(Expression::Kind kind, std::size_t begin, Expression child) {
  Expression outer;
  outer.kind = kind;
  outer.place = {begin, child.place.end};
  outer.children.push_back(std::move(child));
  return outer;
}

}  // namespace

Parsed<Done> Parser::advance() {
  end_ = token_.place.end;
  auto next = lexer_.next();
  if (!next) return next.error();
  token_ = std::move(*next);
  return Done{};
}

Malformed Parser::unexpected(std::string_view expected) const {
  return wrong(token_.place, fmt::format("expected {}, got {}", expected, shown(token_)));
}

Parsed<Done> Parser::expect_sign(std::string_view sign, std::string_view why) {
  if (!is_sign(sign)) return unexpected(fmt::format("'{}' {}", sign, why));
  return advance();
}

Parsed<std::string> Parser::name(std::string_view what) {
  if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuotedName) {
    return unexpected(fmt::format("{} (letters, digits, _ and . or anything in back-ticks)", what));
  }
  std::string given = token_.text;
  if (auto taken = advance(); !taken) return taken.error();
  return given;
}

Parsed<Done> Parser::shallow() const {
  if (depth_ <= limits_.depth) return Done{};
  return wrong(token_.place, fmt::format("more than {} levels of parentheses, calls and negations", limits_.depth));
}

// A chain of one operator grows to the left without recursion, but evaluation follows the tree: chains are depth, too.
Parsed<Expression> Parser::disjunction() {
  auto left = conjunction();
  std::size_t links = 0;
  while (left && is_word("or")) {
    if (++links > limits_.elements) return wrong(token_.place, "too many conditions; a list goes with: in [...]");
    if (auto taken = advance(); !taken) return taken.error();
    auto right = conjunction();
    if (!right) return right;
    left = join_two(Operator::kOr, std::move(*left), std::move(*right));
  }
  return left;
}

Parsed<Expression> Parser::conjunction() {
  auto left = negation();
  std::size_t links = 0;
  while (left && is_word("and")) {
    if (++links > limits_.elements) return wrong(token_.place, "too many conditions");
    if (auto taken = advance(); !taken) return taken.error();
    auto right = negation();
    if (!right) return right;
    left = join_two(Operator::kAnd, std::move(*left), std::move(*right));
  }
  return left;
}

Parsed<Expression> Parser::negation() {
  if (!is_word("not")) return comparison();
  const Deeper deeper(depth_);
  if (auto fits = shallow(); !fits) return fits.error();
  const auto begin = token_.place.begin;
  if (auto taken = advance(); !taken) return taken.error();
  auto inner = negation();
  if (!inner) return inner;
  return wrap(Expression::Kind::kNot, begin, std::move(*inner));
}

Parsed<Expression> Parser::comparison() {
  auto left = sum();
  if (!left) return left;
  for (const auto& [sign, op] : kComparisons) {
    if (!is_sign(sign)) continue;
    if (auto taken = advance(); !taken) return taken.error();
    auto right = sum();
    if (!right) return right;
    return join_two(op, std::move(*left), std::move(*right));
  }
  if (is_sign("=~")) {
    if (auto taken = advance(); !taken) return taken.error();
    return regex(std::move(*left), false);
  }
  const bool negated = is_word("not");
  if (negated) {
    if (auto taken = advance(); !taken) return taken.error();
    if (!is_word("like") && !is_word("in")) return unexpected("\"like\" or \"in\" after \"not\"");
  }
  if (is_word("like")) {
    if (auto taken = advance(); !taken) return taken.error();
    return like(std::move(*left), negated);
  }
  if (is_word("in")) {
    if (auto taken = advance(); !taken) return taken.error();
    return in(std::move(*left), negated);
  }
  return left;
}

Parsed<Expression> Parser::like(Expression left, bool negated) {
  if (Lexer::begins_regex(token_)) return regex(std::move(left), negated);
  if (token_.kind != Token::Kind::kText) return unexpected("a text in quotes or a /regular expression/ after \"like\"");
  auto made = wrap(Expression::Kind::kContains, left.place.begin, std::move(left));
  made.negated = negated;
  made.text = token_.text;
  made.place.end = token_.place.end;
  if (auto taken = advance(); !taken) return taken.error();
  return made;
}

Parsed<Expression> Parser::regex(Expression left, bool negated) {
  auto made = wrap(Expression::Kind::kMatches, left.place.begin, std::move(left));
  made.negated = negated;
  if (Lexer::begins_regex(token_)) {
    auto found = lexer_.regex(token_);
    if (!found) return found.error();
    token_ = std::move(*found);
  }
  if (token_.kind != Token::Kind::kText) return unexpected("a /regular expression/");
  made.text = token_.text;
  made.place.end = token_.place.end;
  if (auto taken = advance(); !taken) return taken.error();
  return made;
}

Parsed<Expression> Parser::in(Expression left, bool negated) {
  auto made = wrap(Expression::Kind::kIn, left.place.begin, std::move(left));
  made.negated = negated;
  if (is_sign("(")) {
    made.kind = Expression::Kind::kInSubquery;
    auto inner = subquery();
    if (!inner) return inner.error();
    made.subquery = std::move(*inner);
    made.place.end = end_;
    return made;
  }
  if (auto taken = expect_sign("[", "before the values of \"in\""); !taken) return taken.error();
  while (!is_sign("]")) {
    if (made.children.size() > limits_.elements) {
      return wrong(token_.place, fmt::format("more than {} values after \"in\"", limits_.elements));
    }
    auto one = constant();
    if (!one) return one;
    made.children.push_back(std::move(*one));
    if (!is_sign(",")) break;
    if (auto taken = advance(); !taken) return taken.error();
  }
  if (auto taken = expect_sign("]", "after the values of \"in\""); !taken) return taken.error();
  made.place.end = end_;
  return made;
}

Parsed<Expression> Parser::constant() {
  auto one = sign();
  if (!one) return one;
  if (one->kind == Expression::Kind::kNegate && one->children[0].kind == Expression::Kind::kNumber) {
    one->children[0].number = -one->children[0].number;
    one->children[0].place.begin = one->place.begin;
    Expression number = std::move(one->children[0]);
    return number;
  }
  if (one->kind != Expression::Kind::kNumber && one->kind != Expression::Kind::kText &&
      one->kind != Expression::Kind::kBoolean) {
    return wrong(one->place, "expected a number or a text in quotes; a list after \"in\" holds no fields");
  }
  return one;
}

Parsed<Expression> Parser::sum() {
  auto left = product();
  std::size_t links = 0;
  while (left) {
    const auto* const found =
        std::find_if(std::begin(kSums), std::end(kSums), [&](auto& w) { return is_sign(w.sign); });
    if (found == std::end(kSums)) break;
    if (++links > limits_.elements) return wrong(token_.place, "too many terms");
    if (auto taken = advance(); !taken) return taken.error();
    auto right = product();
    if (!right) return right;
    left = join_two(found->op, std::move(*left), std::move(*right));
  }
  return left;
}

Parsed<Expression> Parser::product() {
  auto left = sign();
  std::size_t links = 0;
  while (left) {
    const auto* const found =
        std::find_if(std::begin(kProducts), std::end(kProducts), [&](auto& w) { return is_sign(w.sign); });
    if (found == std::end(kProducts)) break;
    if (++links > limits_.elements) return wrong(token_.place, "too many factors");
    if (auto taken = advance(); !taken) return taken.error();
    auto right = sign();
    if (!right) return right;
    left = join_two(found->op, std::move(*left), std::move(*right));
  }
  return left;
}

Parsed<Expression> Parser::sign() {
  if (!is_sign("-") && !is_sign("+")) return power();
  const Deeper deeper(depth_);
  if (auto fits = shallow(); !fits) return fits.error();
  const bool minus = is_sign("-");
  const auto begin = token_.place.begin;
  if (auto taken = advance(); !taken) return taken.error();
  auto inner = sign();
  if (!inner || !minus) return inner;
  return wrap(Expression::Kind::kNegate, begin, std::move(*inner));
}

// From the right: 2 ^ 3 ^ 2 is 2 ^ 9. Its exponent may have a sign.
Parsed<Expression> Parser::power() {
  auto base = primary();
  if (!base || !is_sign("^")) return base;
  const Deeper deeper(depth_);
  if (auto fits = shallow(); !fits) return fits.error();
  if (auto taken = advance(); !taken) return taken.error();
  auto exponent = sign();
  if (!exponent) return exponent;
  return join_two(Operator::kPower, std::move(*base), std::move(*exponent));
}

Parsed<Expression> Parser::primary() {
  const Deeper deeper(depth_);
  if (auto fits = shallow(); !fits) return fits.error();
  Expression made;
  made.place = token_.place;
  if (is_sign("(")) {
    if (auto taken = advance(); !taken) return taken.error();
    auto inner = expression();
    if (!inner) return inner;
    if (auto taken = expect_sign(")", "to close the parenthesis"); !taken) return taken.error();
    inner->place = {made.place.begin, end_};
    return inner;
  }
  if (token_.kind == Token::Kind::kNumber || token_.kind == Token::Kind::kText) {
    made.kind = token_.kind == Token::Kind::kNumber ? Expression::Kind::kNumber : Expression::Kind::kText;
    made.number = token_.number;
    if (made.kind == Expression::Kind::kText) made.text = token_.text;
    if (auto taken = advance(); !taken) return taken.error();
    return made;
  }
  if (token_.kind == Token::Kind::kWord || token_.kind == Token::Kind::kQuotedName) return field();
  return unexpected("a field, a number, a text or a function");
}

namespace {

void add_segments(std::vector<std::string>& segments, std::string_view word) {
  std::size_t begin = 0;
  while (begin <= word.size()) {
    const auto end = std::min(word.find('.', begin), word.size());
    segments.emplace_back(word.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

// A word, or pieces that touch: a.b, `odd name`.b, a[0].b. A word before "(" is a function.
Parsed<Expression> Parser::field() {
  const Token first = token_;
  if (auto taken = advance(); !taken) return taken.error();
  if (first.kind == Token::Kind::kWord && is_sign("(")) return call(first);
  Expression made;
  made.place = first.place;
  if (first.kind == Token::Kind::kWord && (lower_case(first.text) == "true" || lower_case(first.text) == "false")) {
    made.kind = Expression::Kind::kBoolean;
    made.number = lower_case(first.text) == "true" ? 1 : 0;
    return made;
  }
  made.kind = Expression::Kind::kField;
  if (first.kind == Token::Kind::kWord) {
    add_segments(made.segments, first.text);
  } else {
    made.segments.push_back(first.text);
  }
  if (auto taken = more_segments(made); !taken) return taken.error();
  return made;
}

Parsed<Done> Parser::more_segments(Expression& field) {
  while (token_.glued && field.segments.size() <= limits_.depth) {
    if (token_.kind == Token::Kind::kQuotedName) {
      if (field.segments.back().empty()) field.segments.pop_back();  // the dot before: a.`b`
      field.segments.push_back(token_.text);
    } else if ((token_.kind == Token::Kind::kWord || token_.kind == Token::Kind::kNumber) && token_.text[0] == '.') {
      add_segments(field.segments, token_.text.substr(1));
    } else if (is_sign("[")) {
      if (auto taken = advance(); !taken) return taken;
      if (token_.kind != Token::Kind::kNumber && token_.kind != Token::Kind::kText) {
        return unexpected("the number of an element or a key in quotes");
      }
      field.segments.push_back(token_.text);
      if (auto taken = advance(); !taken) return taken;
      if (!is_sign("]")) return unexpected("']' to close the bracket");
    } else {
      break;
    }
    if (auto taken = advance(); !taken) return taken;
  }
  field.place.end = end_;
  return Done{};
}

// Of a join's condition. A word before "(" is no function there: the parenthesis is the subquery's.
Parsed<Expression> Parser::right_field() {
  if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuotedName) {
    return unexpected("a field of the other side");
  }
  Expression made;
  made.kind = Expression::Kind::kField;
  made.place = token_.place;
  if (token_.kind == Token::Kind::kWord) {
    add_segments(made.segments, token_.text);
  } else {
    made.segments.push_back(token_.text);
  }
  if (auto taken = advance(); !taken) return taken.error();
  if (auto taken = more_segments(made); !taken) return taken.error();
  return made;
}

Parsed<Expression> Parser::call(const Token& name) {
  Expression made;
  made.kind = Expression::Kind::kCall;
  made.text = lower_case(name.text);
  made.place = name.place;
  const auto* const signature = find_function(made.text);
  if (signature == nullptr) {
    const auto names = function_names();
    const auto meant = nearest(made.text, names);
    return wrong(name.place, meant.empty() ? fmt::format("there is no function \"{}\"", name.text)
                                           : fmt::format("there is no function \"{}\"; did you mean {}?", name.text,
                                                         find_function(meant)->usage));
  }
  std::size_t period_at = 99;
  if (signature->function == Function::kBin) period_at = 0;
  if (signature->function == Function::kDateFloor || signature->function == Function::kDateCeil) period_at = 1;
  if (auto taken = arguments(made, period_at); !taken) return taken.error();
  if (made.children.size() < signature->least || made.children.size() > signature->most) {
    return wrong(made.place, fmt::format("{} arguments do not fit: {}", made.children.size(), signature->usage));
  }
  return made;
}

Parsed<Done> Parser::arguments(Expression& call, std::size_t period_at) {
  if (auto taken = advance(); !taken) return taken;
  if (call.text == "count" && is_sign("*")) {
    if (auto taken = advance(); !taken) return taken;
  } else if (!is_sign(")")) {
    while (true) {
      auto one = call.children.size() == period_at ? period() : expression();
      if (!one) return one.error();
      call.children.push_back(std::move(*one));
      if (!is_sign(",")) break;
      if (auto taken = advance(); !taken) return taken;
      if (call.children.size() > limits_.elements) return wrong(token_.place, "too many arguments");
    }
  }
  if (auto taken = expect_sign(")", fmt::format("after the arguments of {}", call.text)); !taken) return taken;
  call.place.end = end_;
  return Done{};
}

// "5m", or "5 m".
Parsed<Expression> Parser::period() {
  Expression made;
  made.kind = Expression::Kind::kPeriod;
  made.place = token_.place;
  std::string text;
  while ((token_.kind == Token::Kind::kNumber || token_.kind == Token::Kind::kWord) && text.size() < 40) {
    text += token_.text;
    if (auto taken = advance(); !taken) return taken.error();
  }
  made.place.end = end_;
  if (text.empty()) return unexpected("a period such as 30s, 5m, 1h or 1d");
  const auto found = parse_period(text);
  if (!found) return wrong(made.place, found.error().message);
  made.period = *found;
  return made;
}

}  // namespace securebase::logs::insights
