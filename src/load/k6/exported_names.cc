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
    text_.exports.push_back({std::string(token.text), std::string(token.text)});
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

void ModuleRewriter::skip_initializer() {
  bool first = true;
  while (at_ < tokens_.size()) {
    const Token& token = tokens_[at_];
    if (token.depth == 0) {
      if (token.is(",") || token.is(";")) return;
      if (token.newline_before && at_ > 0 && !(first && token.is("=")) && ends_expression(tokens_[at_ - 1]) &&
          begins_statement(token)) {
        return;
      }
    }
    first = false;
    ++at_;
  }
}

bool ModuleRewriter::reassigned(std::string_view local) const {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind != TokenKind::kName || token.text != local) continue;
    const Token* before = i > 0 ? &tokens_[i - 1] : nullptr;
    const Token* after = i + 1 < tokens_.size() ? &tokens_[i + 1] : nullptr;
    if (before && (before->is(".") || before->is("?."))) continue;
    const bool declares = before && (before->is("const") || before->is("let") || before->is("var"));
    if (after && !declares && assigns(*after)) return true;
    if (after && (after->is("++") || after->is("--"))) return true;
    if (before && (before->is("++") || before->is("--"))) return true;
  }
  return false;
}

}  // namespace securebase::k6
