#include <fmt/format.h>

#include <algorithm>

#include "stack/syntax/grammar.h"

namespace securebase::stack {

namespace {

struct Level {
  TokenKind token;
  Operator operation;
  int precedence;
};

constexpr Level kBinary[] = {
    {TokenKind::kOr, Operator::kOr, 1},           {TokenKind::kAnd, Operator::kAnd, 2},
    {TokenKind::kEqual, Operator::kEqual, 3},     {TokenKind::kNotEqual, Operator::kNotEqual, 3},
    {TokenKind::kLess, Operator::kLess, 4},       {TokenKind::kLessOrEqual, Operator::kLessOrEqual, 4},
    {TokenKind::kGreater, Operator::kGreater, 4}, {TokenKind::kGreaterOrEqual, Operator::kGreaterOrEqual, 4},
    {TokenKind::kPlus, Operator::kAdd, 5},        {TokenKind::kMinus, Operator::kSubtract, 5},
    {TokenKind::kStar, Operator::kMultiply, 6},   {TokenKind::kSlash, Operator::kDivide, 6},
    {TokenKind::kPercent, Operator::kModulo, 6},
};

const Level* level_of(TokenKind kind) {
  const auto* found =
      std::find_if(std::begin(kBinary), std::end(kBinary), [&](const Level& l) { return l.token == kind; });
  return found == std::end(kBinary) ? nullptr : found;
}

}  // namespace

ExpressionPtr Grammar::make_deep(SourceRange range, Expression::Node node, unsigned child_depth) {
  if (child_depth >= limits_.depth) {
    return fail(
        "Expression nested too deeply",
        fmt::format("Expressions may be nested {} levels deep. Name parts of it in a locals block.", limits_.depth),
        range);
  }
  return std::make_shared<const Expression>(Expression{std::move(range), std::move(node), child_depth + 1});
}

ExpressionPtr Grammar::fail(std::string summary, std::string detail, const SourceRange& range) {
  if (!diagnostics_.has_errors()) diagnostics_.error(std::move(summary), std::move(detail), range);
  return nullptr;
}

bool Grammar::take(TokenKind kind, std::string_view expected) {
  const Token& found = scanner_.peek();
  if (found.kind == kind) return scanner_.next(), true;
  fail("Invalid expression", fmt::format("Expected {}, found {}.", expected, describe(found)), found.range);
  return false;
}

void Grammar::skip_newlines() {
  while (peeks(TokenKind::kNewline)) scanner_.next();
}

bool Grammar::enter(const SourceRange& range) {
  if (++depth_ <= limits_.depth) return true;
  fail("Nested too deeply", fmt::format("Blocks and expressions may be nested {} levels deep.", limits_.depth), range);
  return false;
}

ExpressionPtr Grammar::whole_expression() {
  scanner_.ignore_newlines(true);
  ExpressionPtr made = expression();
  if (made && !take(TokenKind::kEnd, "nothing more after the expression")) return nullptr;
  return made;
}

ExpressionPtr Grammar::expression() {
  if (!enter(scanner_.peek().range)) return nullptr;
  ExpressionPtr condition = binary(1);
  if (condition && peeks(TokenKind::kQuestion)) {
    scanner_.next();
    ExpressionPtr then = expression();
    if (!then || !take(TokenKind::kColon, "\":\" between the two results of a condition")) return nullptr;
    ExpressionPtr otherwise = expression();
    if (!otherwise) return nullptr;
    condition = make(condition->range.to(otherwise->range), Conditional{condition, then, otherwise},
                     {condition.get(), then.get(), otherwise.get()});
  }
  leave();
  return condition;
}

ExpressionPtr Grammar::binary(int least_precedence) {
  ExpressionPtr left = unary();
  while (left) {
    const Level* level = level_of(scanner_.peek().kind);
    if (!level || level->precedence < least_precedence) break;
    scanner_.next();
    ExpressionPtr right = binary(level->precedence + 1);
    if (!right) return nullptr;
    left = make(left->range.to(right->range), Binary{level->operation, left, right}, {left.get(), right.get()});
  }
  return left;
}

ExpressionPtr Grammar::unary() {
  const Token& token = scanner_.peek();
  if (token.kind != TokenKind::kMinus && token.kind != TokenKind::kNot) return postfix();
  const Token sign = scanner_.next();
  if (!enter(sign.range)) return nullptr;
  ExpressionPtr operand = unary();
  leave();
  if (!operand) return nullptr;
  const auto operation = sign.kind == TokenKind::kMinus ? Operator::kNegate : Operator::kNot;
  return make(sign.range.to(operand->range), Unary{operation, operand}, {operand.get()});
}

ExpressionPtr Grammar::postfix() {
  ExpressionPtr base = primary();
  return base ? postfix_of(std::move(base), false) : nullptr;
}

// `.name`, `.0`, `[key]` and splats. An attribute-only splat (a.*.b) takes names alone: an index behind it applies to
// its whole result.
ExpressionPtr Grammar::postfix_of(ExpressionPtr base, bool only_attributes) {
  while (base) {
    if (peeks(TokenKind::kDot)) {
      base = after_dot(std::move(base), only_attributes);
    } else if (peeks(TokenKind::kOpenBracket) && !only_attributes) {
      base = bracketed(std::move(base));
    } else {
      break;
    }
  }
  return base;
}

ExpressionPtr Grammar::after_dot(ExpressionPtr base, bool only_attributes) {
  scanner_.next();
  if (peeks(TokenKind::kStar)) {
    if (only_attributes) {
      return fail("Nested splat", "A splat inside an attribute-only splat needs brackets: write [*].",
                  scanner_.peek().range);
    }
    scanner_.next();
    return splat(std::move(base), true);
  }
  if (peeks(TokenKind::kNumber)) {
    // a.0.1: the scanner takes "0.1" for one number.
    const Token number = scanner_.next();
    std::string_view text = number.text;
    while (base && !text.empty()) {
      const std::string_view digits = text.substr(0, text.find('.'));
      text.remove_prefix(std::min(text.size(), digits.size() + 1));
      const auto index = parse_number(digits);
      if (!index) return fail("Invalid legacy index", "A number after a dot must be an integer.", number.range);
      auto key = make(number.range, Literal{*index}, {});
      base = make(base->range.to(number.range), Index{base, key}, {base.get(), key.get()});
    }
    return base;
  }
  const Token name = scanner_.next();
  if (name.kind != TokenKind::kIdentifier) {
    return fail("Invalid attribute name",
                fmt::format("An attribute name is required after a dot, found {}.", describe(name)), name.range);
  }
  return make(base->range.to(name.range), GetAttribute{base, std::string(name.text), name.range}, {base.get()});
}

ExpressionPtr Grammar::splat(ExpressionPtr base, bool only_attributes) {
  const SourceRange start = base->range;
  ExpressionPtr each = make(scanner_.range_from(scanner_.cursor()), SplatElement{}, {});
  each = postfix_of(std::move(each), only_attributes);
  if (!each) return nullptr;
  const SourceRange range = each->as<SplatElement>() ? scanner_.range_from(start.start) : start.to(each->range);
  return make(range, Splat{base, each}, {base.get(), each.get()});
}

ExpressionPtr Grammar::bracketed(ExpressionPtr base) {
  scanner_.next();
  const bool newlines = scanner_.ignore_newlines(true);
  if (peeks(TokenKind::kStar)) {
    scanner_.next();
    const bool closed = take(TokenKind::kCloseBracket, "\"]\" after the splat");
    scanner_.ignore_newlines(newlines);
    return closed ? splat(std::move(base), false) : nullptr;
  }
  ExpressionPtr key = expression();
  const bool closed = key && take(TokenKind::kCloseBracket, "\"]\" after the index");
  scanner_.ignore_newlines(newlines);
  if (!closed) return nullptr;
  return make(scanner_.range_from(base->range.start), Index{base, key}, {base.get(), key.get()});
}

ExpressionPtr Grammar::primary() {
  const Token token = scanner_.peek();
  switch (token.kind) {
    case TokenKind::kNumber: {
      scanner_.next();
      const auto number = parse_number(token.text);
      if (!number) return fail("Invalid number", "This number cannot be held.", token.range);
      return make(token.range, Literal{*number}, {});
    }
    case TokenKind::kQuote:
      scanner_.next();
      return quoted_template(token);
    case TokenKind::kHeredoc:
      scanner_.next();
      return heredoc(token);
    case TokenKind::kOpenParenthesis:
      return parenthesised();
    case TokenKind::kOpenBracket:
      return tuple();
    case TokenKind::kOpenBrace:
      return object();
    case TokenKind::kIdentifier:
      scanner_.next();
      if (peeks(TokenKind::kOpenParenthesis)) return call(token);
      if (peeks(TokenKind::kColon) && scanner_.rest().substr(0, 2) == "::") return call(token);
      if (token.text == "true" || token.text == "false") return make(token.range, Literal{token.text == "true"}, {});
      if (token.text == "null") return make(token.range, Literal{}, {});
      return make(token.range, Variable{std::string(token.text)}, {});
    case TokenKind::kInvalid: {
      scanner_.next();
      const bool curly = token.text == "\xe2\x80\x9c" || token.text == "\xe2\x80\x9d";
      return fail("Invalid character",
                  curly                ? "Curly quotes are not quotation marks here; write straight ones (\")."
                  : token.text == "/*" ? "This comment has no end: \"*/\" is missing."
                  : token.text == "'"  ? "Single quotes are not valid. Use double quotes (\") to enclose strings."
                                       : "This character is not used in the language.",
                  token.range);
    }
    default:
      return fail("Invalid expression", fmt::format("Expected the start of an expression, found {}.", describe(token)),
                  token.range);
  }
}

ExpressionPtr Grammar::parenthesised() {
  const Token open = scanner_.next();
  const bool newlines = scanner_.ignore_newlines(true);
  ExpressionPtr inner = expression();
  const bool closed = inner && take(TokenKind::kCloseParenthesis, "\")\" to close the parenthesis");
  scanner_.ignore_newlines(newlines);
  if (!closed) return nullptr;
  // A name in parentheses is no longer a bare object key, so the pair must leave a trace: a template of one part.
  if (inner->as<Variable>()) {
    const SourceRange range = scanner_.range_from(open.range.start);
    return make(range, Template{{inner}}, {inner.get()});
  }
  return inner;
}

ExpressionPtr Grammar::tuple() {
  const Token open = scanner_.next();
  const bool newlines = scanner_.ignore_newlines(true);
  if (peeks_word("for")) {
    ExpressionPtr made = for_expression(open);
    scanner_.ignore_newlines(newlines);
    return made;
  }
  Tuple made;
  unsigned deepest = 0;
  while (!peeks(TokenKind::kCloseBracket)) {
    ExpressionPtr element = expression();
    if (!element) return nullptr;
    deepest = std::max(deepest, element->depth);
    made.elements.push_back(std::move(element));
    if (peeks(TokenKind::kCloseBracket)) break;
    if (!take(TokenKind::kComma, "a comma or \"]\" after an element of the list")) return nullptr;
  }
  scanner_.next();
  scanner_.ignore_newlines(newlines);
  return make_deep(scanner_.range_from(open.range.start), std::move(made), deepest);
}

ExpressionPtr Grammar::object() {
  const Token open = scanner_.next();
  const bool newlines = scanner_.ignore_newlines(true);
  if (peeks_word("for")) {
    ExpressionPtr made = for_expression(open);
    scanner_.ignore_newlines(newlines);
    return made;
  }
  scanner_.ignore_newlines(false);
  ObjectLiteral made;
  unsigned deepest = 0;
  while (true) {
    skip_newlines();
    if (peeks(TokenKind::kCloseBrace)) break;
    ExpressionPtr key = object_key();
    if (!key) return nullptr;
    if (!peeks(TokenKind::kColon) && !peeks(TokenKind::kAssign)) {
      const Token& found = scanner_.peek();
      return fail("Missing attribute value",
                  fmt::format("Expected an attribute value, introduced by \"=\" or \":\", found {}.", describe(found)),
                  found.range);
    }
    scanner_.next();
    ExpressionPtr value = expression();
    if (!value) return nullptr;
    deepest = std::max({deepest, key->depth, value->depth});
    made.items.push_back({std::move(key), std::move(value)});
    if (peeks(TokenKind::kCloseBrace)) break;
    const Token& separator = scanner_.peek();
    if (separator.kind != TokenKind::kComma && separator.kind != TokenKind::kNewline) {
      return fail("Missing attribute separator",
                  fmt::format("Expected a newline or comma to mark the beginning of the next attribute, found {}.",
                              describe(separator)),
                  separator.range);
    }
    scanner_.next();
  }
  scanner_.next();
  scanner_.ignore_newlines(newlines);
  return make_deep(scanner_.range_from(open.range.start), std::move(made), deepest);
}

ExpressionPtr Grammar::object_key() {
  ExpressionPtr key = expression();
  if (!key) return nullptr;
  if (const auto* name = key->as<Variable>()) return make(key->range, Literal{name->name}, {});
  if (const auto* literal = key->as<Literal>(); literal && !literal->value.is_string()) {
    return make(key->range, Literal{literal->value.to_text().value_or("null")}, {});
  }
  return key;
}

ExpressionPtr Grammar::call(const Token& name) {
  std::string full_name(name.text);
  while (peeks(TokenKind::kColon)) {  // provider::aws::arn_parse
    scanner_.next();
    if (!take(TokenKind::kColon, "\"::\" in the name of a function")) return nullptr;
    const Token part = scanner_.next();
    if (part.kind != TokenKind::kIdentifier)
      return fail("Invalid function name", "A name is required here.", part.range);
    full_name += "::" + std::string(part.text);
  }
  if (!take(TokenKind::kOpenParenthesis, "\"(\" after the name of a function")) return nullptr;
  const bool newlines = scanner_.ignore_newlines(true);
  Call made{std::move(full_name), name.range, {}, false};
  unsigned deepest = 0;
  while (!peeks(TokenKind::kCloseParenthesis)) {
    ExpressionPtr argument = expression();
    if (!argument) return nullptr;
    deepest = std::max(deepest, argument->depth);
    made.arguments.push_back(std::move(argument));
    if (peeks(TokenKind::kEllipsis)) {
      scanner_.next();
      made.expands_last = true;
      if (peeks(TokenKind::kComma)) scanner_.next();
      if (!peeks(TokenKind::kCloseParenthesis)) {
        return fail("Missing closing parenthesis", "An expanded argument (with ...) must be the last one.",
                    scanner_.peek().range);
      }
      break;
    }
    if (peeks(TokenKind::kCloseParenthesis)) break;
    if (!take(TokenKind::kComma, "a comma or \")\" after an argument")) return nullptr;
  }
  scanner_.next();
  scanner_.ignore_newlines(newlines);
  return make_deep(scanner_.range_from(name.range.start), std::move(made), deepest);
}

ExpressionPtr Grammar::for_expression(const Token& open) {
  const bool makes_object = open.kind == TokenKind::kOpenBrace;
  scanner_.next();
  ForExpression made;
  const Token first = scanner_.next();
  if (first.kind != TokenKind::kIdentifier)
    return fail("Invalid 'for' expression", "A name is required after \"for\".", first.range);
  made.value = first.text;
  if (peeks(TokenKind::kComma)) {
    scanner_.next();
    const Token second = scanner_.next();
    if (second.kind != TokenKind::kIdentifier)
      return fail("Invalid 'for' expression", "A name is required after the comma.", second.range);
    made.key = std::move(made.value);
    made.value = second.text;
  }
  if (!peeks_word("in")) {
    return fail("Invalid 'for' expression", fmt::format("Expected \"in\", found {}.", describe(scanner_.peek())),
                scanner_.peek().range);
  }
  scanner_.next();
  made.collection = expression();
  if (!made.collection || !take(TokenKind::kColon, "\":\" after the collection of a for expression")) return nullptr;
  made.result = expression();
  if (!made.result) return nullptr;
  if (makes_object) {
    if (!take(TokenKind::kArrow, "\"=>\" between key and value")) return nullptr;
    made.result_key = std::move(made.result);
    made.result = expression();
    if (!made.result) return nullptr;
    if (peeks(TokenKind::kEllipsis)) {
      scanner_.next();
      made.groups = true;
    }
  }
  if (peeks_word("if")) {
    scanner_.next();
    made.condition = expression();
    if (!made.condition) return nullptr;
  }
  const auto close = makes_object ? TokenKind::kCloseBrace : TokenKind::kCloseBracket;
  if (!take(close, makes_object ? "\"}\" to close the for expression" : "\"]\" to close the for expression"))
    return nullptr;
  const SourceRange range = scanner_.range_from(open.range.start);
  const auto children = {made.collection.get(), made.result_key.get(), made.result.get(), made.condition.get()};
  return make(range, std::move(made), children);
}

}  // namespace securebase::stack
