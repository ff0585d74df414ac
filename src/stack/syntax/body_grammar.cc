#include <fmt/format.h>

#include "stack/syntax/grammar.h"

namespace securebase::stack {

bool Grammar::body(BodySyntax& into, TokenKind end) {
  const Position start = scanner_.cursor();
  while (true) {
    skip_newlines();
    if (peeks(end)) break;
    const Token name = scanner_.next();
    if (name.kind == TokenKind::kEnd) return unclosed(into), false;
    if (name.kind != TokenKind::kIdentifier) {
      fail("Argument or block definition required",
           fmt::format("An argument or block definition is required here, found {}.", describe(name)), name.range);
      return false;
    }
    if (!(peeks(TokenKind::kAssign) ? attribute(into, name) : block(into, name))) return false;
  }
  into.range = scanner_.range_from(start);
  return true;
}

// `body` has the range of its header until it is read whole.
void Grammar::unclosed(const BodySyntax& body) {
  fail("Unclosed configuration block", "There is no closing brace for this block before the end of the file.",
       body.range);
}

bool Grammar::attribute(BodySyntax& into, const Token& name) {
  scanner_.next();
  ExpressionPtr value = expression();
  if (!value) return false;
  if (const auto* before = into.attribute(name.text)) {
    fail("Attribute redefined",
         fmt::format("The argument \"{}\" was already set at {}. Each argument may be set only once.", name.text,
                     before->name_range.text()),
         name.range);
    return false;
  }
  into.attributes.push_back({std::string(name.text), name.range, std::move(value)});
  if (peeks(TokenKind::kEnd) || peeks(TokenKind::kCloseBrace)) return true;
  if (peeks(TokenKind::kNewline)) return scanner_.next(), true;
  const Token& found = scanner_.peek();
  fail("Missing newline after argument",
       fmt::format("An argument definition must end with a newline, found {}.", describe(found)), found.range);
  return false;
}

bool Grammar::block(BodySyntax& into, const Token& type) {
  BlockSyntax made;
  made.type = type.text;
  made.range = type.range;
  while (!peeks(TokenKind::kOpenBrace)) {
    const Token label = scanner_.next();
    if (label.kind == TokenKind::kIdentifier) {
      made.labels.emplace_back(label.text);
    } else if (label.kind == TokenKind::kQuote) {
      const ExpressionPtr text = quoted_template(label);
      if (!text) return false;
      const auto* literal = text->as<Literal>();
      if (!literal)
        return fail("Invalid block label", "A label may not contain template sequences.", text->range), false;
      made.labels.push_back(literal->value.string());
      made.label_ranges.push_back(text->range);
      made.range = made.range.to(text->range);
      continue;
    } else if (label.kind == TokenKind::kNewline && made.labels.empty()) {
      fail("Invalid block definition",
           "Either a quoted label, an opening brace (\"{\") or an equals sign (\"=\") is expected after this name.",
           type.range);
      return false;
    } else {
      fail("Invalid block definition",
           fmt::format("A block needs an opening brace (\"{{\") on the line of its header, found {}.", describe(label)),
           label.range);
      return false;
    }
    made.label_ranges.push_back(label.range);
    made.range = made.range.to(label.range);
  }
  scanner_.next();
  if (!enter(made.range)) return false;
  made.body.range = made.range;
  const bool right = peeks(TokenKind::kNewline) ? body(made.body, TokenKind::kCloseBrace) : one_line_body(made.body);
  leave();
  if (!right || !take(TokenKind::kCloseBrace, "\"}\"")) return false;
  into.blocks.push_back(std::move(made));
  if (peeks(TokenKind::kEnd) || peeks(TokenKind::kCloseBrace)) return true;
  if (peeks(TokenKind::kNewline)) return scanner_.next(), true;
  const Token& found = scanner_.peek();
  fail("Missing newline after block definition",
       fmt::format("A block definition must end with a newline, found {}.", describe(found)), found.range);
  return false;
}

// { } or { name = value }: the specification allows one argument, and no block, on the line of the header.
bool Grammar::one_line_body(BodySyntax& into) {
  if (peeks(TokenKind::kCloseBrace)) return true;
  const Token name = scanner_.next();
  if (name.kind == TokenKind::kEnd) return unclosed(into), false;
  if (name.kind != TokenKind::kIdentifier || !peeks(TokenKind::kAssign)) {
    fail("Invalid single-argument block definition",
         "A block on one line may hold one argument and nothing else. Put its content on lines of its own.",
         name.range);
    return false;
  }
  scanner_.next();
  ExpressionPtr value = expression();
  if (!value) return false;
  into.attributes.push_back({std::string(name.text), name.range, std::move(value)});
  if (peeks(TokenKind::kCloseBrace)) return true;
  if (peeks(TokenKind::kEnd)) return unclosed(into), false;
  const Token& found = scanner_.peek();
  fail("Invalid single-argument block definition",
       fmt::format("A block on one line holds one argument and ends with \"}}\", found {}. Put its content on lines of "
                   "its own.",
                   describe(found)),
       found.range);
  return false;
}

}  // namespace securebase::stack
