#include <set>

#include "k6/module_rewriter.h"

namespace securebase::k6 {

namespace {

bool assigns(const Token& token) {
  if (token.kind != TokenKind::kPunctuator || token.text.empty() || token.text.back() != '=') return false;
  static const std::set<std::string_view> kComparisons = {"==", "===", "!=", "!==", "<=", ">="};
  return !kComparisons.contains(token.text);
}

bool ends_expression(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNumber:
    case TokenKind::kString:
    case TokenKind::kRegex:
      return true;
    case TokenKind::kTemplate:
      return token.text.back() == '`';
    case TokenKind::kName: {
      static const std::set<std::string_view> kMore = {"typeof", "new",   "delete", "void",    "in",       "instanceof",
                                                       "await",  "yield", "async",  "extends", "function", "class"};
      return !kMore.contains(token.text);
    }
    case TokenKind::kPunctuator:
      return token.text == ")" || token.text == "]" || token.text == "}" || token.text == "++" || token.text == "--";
  }
  return false;
}
bool begins_statement(const Token& token) {
  switch (token.kind) {
    case TokenKind::kNumber:
    case TokenKind::kString:
      return true;
    case TokenKind::kName:
      return token.text != "in" && token.text != "instanceof";
    case TokenKind::kPunctuator:
      return token.text == "{" || token.text == "++" || token.text == "--";
    default:
      return false;
  }
}

}  // namespace

Result<Done> ModuleRewriter::take_declarators() {
  while (true) {
    if (auto pattern = take_pattern(); !pattern) return pattern.error();
    skip_initializer();
    if (!next_is(",") || tokens_[at_].depth != 0) return Done{};
    ++at_;
  }
}

Result<Done> ModuleRewriter::take_pattern() {
  if (at_ >= tokens_.size()) return unexpected("a name");
  const Token& token = tokens_[at_];
  if (token.kind == TokenKind::kName) {
    add_export(std::string(token.text), std::string(token.text), {token.line, token.column});
    ++at_;
    return Done{};
  }
  const bool object = token.is("{");
  if (!object && !token.is("[")) return unexpected("a name");
  const std::uint32_t inside = token.depth + 1;
  const std::string_view close = object ? "}" : "]";
  ++at_;
  while (at_ < tokens_.size() && !(tokens_[at_].is(close) && tokens_[at_].depth == inside)) {
    if (next_is(",")) {
      ++at_;
      continue;
    }
    if (next_is("...")) ++at_;
    if (object) {
      if (auto key = skip_key(inside); !key) return key.error();
    }
    if (auto pattern = take_pattern(); !pattern) return pattern.error();
    while (at_ < tokens_.size() && !(tokens_[at_].depth == inside && (next_is(",") || tokens_[at_].is(close)))) ++at_;
  }
  if (at_ >= tokens_.size()) return unexpected(object ? "'}'" : "']'");
  ++at_;
  return Done{};
}

Result<Done> ModuleRewriter::skip_key(std::uint32_t inside) {
  if (next_is("[")) {
    while (at_ < tokens_.size() && !(tokens_[at_].is("]") && tokens_[at_].depth == inside + 1)) ++at_;
    ++at_;
    if (!next_is(":")) return unexpected("':'");
    ++at_;
  } else if (ahead_is(1, ":")) {
    at_ += 2;
  }
  return Done{};
}

bool ModuleRewriter::semicolon_put_in(std::size_t index) const {
  return index > 0 && tokens_[index].newline_before && ends_expression(tokens_[index - 1]) &&
         begins_statement(tokens_[index]);
}

void ModuleRewriter::skip_initializer() {
  bool first = true;
  while (at_ < tokens_.size()) {
    const Token& token = tokens_[at_];
    if (token.depth == 0) {
      if (token.is(",") || token.is(";")) return;
      if (!(first && token.is("=")) && semicolon_put_in(at_)) return;
    }
    first = false;
    ++at_;
  }
}

std::size_t ModuleRewriter::opening_of(std::size_t close) const {
  std::size_t open = close;
  while (open > 0 && !(tokens_[open].depth + 1 == tokens_[close].depth && open != close)) --open;
  return open;
}

std::set<std::string_view> ModuleRewriter::reassigned_names() const {
  std::set<std::string_view> names;
  const auto declares = [](const Token& token) { return token.is("const") || token.is("let") || token.is("var"); };
  const auto iterates = [](const Token& token) { return token.is("of") || token.is("in"); };
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    const Token& after = tokens_[i + 1];
    const Token* const before = i > 0 ? &tokens_[i - 1] : nullptr;
    if (token.kind == TokenKind::kName) {
      if (before && (before->is(".") || before->is("?."))) continue;
      const bool declared = before && declares(*before);
      const bool looped = before && before->is("(") && iterates(after);  // for (name of ...)
      const bool counted = after.is("++") || after.is("--");
      if ((assigns(after) && !declared) || counted || looped) names.insert(token.text);
    } else if ((token.is("++") || token.is("--")) && after.kind == TokenKind::kName) {
      names.insert(after.text);
    } else if ((token.is("]") || token.is("}")) && (after.is("=") || iterates(after))) {
      // A pattern that is assigned to: [a, b] = ..., ({a} = ...), for ([a] of ...). But for an element: x[a] = ...
      const std::size_t open = opening_of(i);
      const Token* const front = open > 0 ? &tokens_[open - 1] : nullptr;
      const bool element = token.is("]") && front && ends_expression(*front);
      if (front && (declares(*front) || element)) continue;
      for (std::size_t k = open + 1; k < i; ++k) {
        if (tokens_[k].kind == TokenKind::kName && !tokens_[k - 1].is(".")) names.insert(tokens_[k].text);
      }
    }
  }
  return names;
}

}  // namespace securebase::k6
