// The grammar of HCL by recursive descent, for parser.h. After an error the functions return null or false and the
// diagnostics hold what was wrong; nothing is parsed any more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/syntax/ast.h"
#include "stack/syntax/parser.h"
#include "stack/syntax/scanner.h"

namespace securebase::stack {

class Grammar {
 public:
  Grammar(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics, const SyntaxLimits& limits)
      : scanner_(std::move(file)), diagnostics_(diagnostics), limits_(limits) {}
  Grammar(const SourceRange& part, Diagnostics& diagnostics, const SyntaxLimits& limits)
      : scanner_(part), diagnostics_(diagnostics), limits_(limits) {}

  // body_grammar.cc
  bool body(BodySyntax& into, TokenKind end);
  // expression_grammar.cc
  ExpressionPtr expression();
  ExpressionPtr whole_expression();
  // template_grammar.cc
  ExpressionPtr whole_template();

 private:
  // A template before its directives are nested: a flat list, as the strip markers and heredoc margins need it.
  struct Piece;
  struct TemplateEnd;

  bool attribute(BodySyntax& into, const Token& name);
  bool block(BodySyntax& into, const Token& type);
  bool one_line_body(BodySyntax& into);
  void unclosed(const BodySyntax& body);

  ExpressionPtr binary(int least_precedence);
  ExpressionPtr unary();
  ExpressionPtr postfix();
  ExpressionPtr postfix_of(ExpressionPtr base, bool only_attributes);
  ExpressionPtr after_dot(ExpressionPtr base, bool only_attributes);
  ExpressionPtr splat(ExpressionPtr base, bool only_attributes);
  ExpressionPtr bracketed(ExpressionPtr base);
  ExpressionPtr primary();
  ExpressionPtr parenthesised();
  ExpressionPtr tuple();
  ExpressionPtr object();
  ExpressionPtr object_key();
  ExpressionPtr call(const Token& name);
  ExpressionPtr for_expression(const Token& open);

  ExpressionPtr quoted_template(const Token& quote);
  ExpressionPtr heredoc(const Token& start);
  bool pieces(std::vector<Piece>& into, const TemplateEnd& end);
  bool literal_piece(std::vector<Piece>& into, const TemplateEnd& end);
  bool escape(std::string& out);
  bool sequence(std::vector<Piece>& into);
  bool directive(Piece& piece);
  std::optional<Template> nest(std::vector<Piece>& pieces, std::size_t& at, const Piece* opener);
  ExpressionPtr template_of(std::vector<Piece> pieces, SourceRange range);

  template <class Node>
  ExpressionPtr make(SourceRange range, Node node, std::initializer_list<const Expression*> children);
  ExpressionPtr make_deep(SourceRange range, Expression::Node node, unsigned child_depth);
  ExpressionPtr fail(std::string summary, std::string detail, const SourceRange& range);
  bool take(TokenKind kind, std::string_view expected);
  bool peeks(TokenKind kind) { return scanner_.peek().kind == kind; }
  bool peeks_word(std::string_view word) {
    return scanner_.peek().kind == TokenKind::kIdentifier && scanner_.peek().text == word;
  }
  void skip_newlines();
  bool enter(const SourceRange& range);  // false, and an error, when nested too deeply
  void leave() { --depth_; }

  Scanner scanner_;
  Diagnostics& diagnostics_;
  const SyntaxLimits& limits_;
  unsigned depth_ = 0;
};

template <class Node>
ExpressionPtr Grammar::make(SourceRange range, Node node, std::initializer_list<const Expression*> children) {
  unsigned deepest = 0;
  for (const auto* child : children) {
    if (child) deepest = std::max(deepest, child->depth);
  }
  return make_deep(std::move(range), std::move(node), deepest);
}

}  // namespace securebase::stack
