// HCL native syntax from text to tree. Strict: what HCL refuses is an error here, with the place and what was expected.
// Pure functions; the first error of a text ends its parsing.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "stack/diagnostic.h"
#include "stack/syntax/ast.h"

namespace securebase::stack {

struct SyntaxLimits {
  std::size_t file_bytes = 4 << 20;  // the largest files of public modules have 200 KB
  unsigned depth = 400;              // of nested expressions and blocks: bounds every recursion over the tree
};

// A whole .tf or .tfvars file.
std::optional<BodySyntax> parse_file(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                                     const SyntaxLimits& limits = {});
// A whole text as one expression, as the value of -var; null after an error.
ExpressionPtr parse_expression(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                               const SyntaxLimits& limits = {});
// A whole text as a template, as templatefile() reads it; null after an error.
ExpressionPtr parse_template(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                             const SyntaxLimits& limits = {});
// The same of a part of a file.
ExpressionPtr parse_expression(const SourceRange& part, Diagnostics& diagnostics, const SyntaxLimits& limits = {});
ExpressionPtr parse_template(const SourceRange& part, Diagnostics& diagnostics, const SyntaxLimits& limits = {});
// A .tf.json file: objects are bodies, strings are templates.
std::optional<BodySyntax> parse_json_file(std::shared_ptr<const SourceFile> file, Diagnostics& diagnostics,
                                          const SyntaxLimits& limits = {});

bool is_identifier(std::string_view text);

}  // namespace securebase::stack
