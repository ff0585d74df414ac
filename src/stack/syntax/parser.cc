#include "stack/syntax/parser.h"

#include <fmt/format.h>

#include "stack/syntax/grammar.h"

namespace securebase::stack {

namespace {

bool within_size(const SourceFile& file, Diagnostics& diagnostics, const SyntaxLimits& limits) {
  if (file.text.size() <= limits.file_bytes) return true;
  diagnostics.error("File too large", fmt::format("{} has {} bytes; at most {} are read.", file.name, file.text.size(),
                                                  limits.file_bytes));
  return false;
}

// Each text gets its own diagnostics, since a grammar stops at the first error it sees there.
template <class Source, class Parse>
auto parse_source(const Source& source, Diagnostics& diagnostics, const SyntaxLimits& limits, Parse parse)
    -> decltype(parse(std::declval<Grammar&>())) {
  Diagnostics own;
  Grammar grammar(source, own, limits);
  auto made = parse(grammar);
  const bool failed = own.has_errors();
  diagnostics.append(std::move(own));
  if (failed) return {};
  return made;
}

template <class Parse>
auto parse_whole(const std::shared_ptr<const SourceFile>& file, Diagnostics& diagnostics, const SyntaxLimits& limits,
                 Parse parse) -> decltype(parse(std::declval<Grammar&>())) {
  if (!within_size(*file, diagnostics, limits)) return {};
  return parse_source(file, diagnostics, limits, parse);
}

}  // namespace

std::optional<BodySyntax> parse_file(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                                     const SyntaxLimits& limits) {
  return parse_whole(file, diagnostics, limits, [](Grammar& grammar) -> std::optional<BodySyntax> {
    BodySyntax body;
    if (!grammar.body(body, TokenKind::kEnd)) return std::nullopt;
    return body;
  });
}

ExpressionPtr parse_expression(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                               const SyntaxLimits& limits) {
  return parse_whole(file, diagnostics, limits, [](Grammar& grammar) { return grammar.whole_expression(); });
}

ExpressionPtr parse_template(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                             const SyntaxLimits& limits) {
  return parse_whole(file, diagnostics, limits, [](Grammar& grammar) { return grammar.whole_template(); });
}

ExpressionPtr parse_expression(const SourceRange& part, Diagnostics& diagnostics, const SyntaxLimits& limits) {
  return parse_source(part, diagnostics, limits, [](Grammar& grammar) { return grammar.whole_expression(); });
}

ExpressionPtr parse_template(const SourceRange& part, Diagnostics& diagnostics, const SyntaxLimits& limits) {
  return parse_source(part, diagnostics, limits, [](Grammar& grammar) { return grammar.whole_template(); });
}

}  // namespace securebase::stack
