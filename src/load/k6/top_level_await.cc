// Whether an `await` is the module's own, which makes its evaluation asynchronous, or that of a function in it.
#include "k6/module_rewriter.h"

namespace securebase::k6 {

bool ModuleRewriter::begins_function(std::size_t brace) const {
  if (brace == 0) return false;
  const Token& before = tokens_[brace - 1];
  if (before.is("=>") || before.is("static")) return true;
  if (!before.is(")")) return false;
  const std::size_t open = opening_of(brace - 1);
  if (open == 0) return false;
  const Token& word = tokens_[open - 1];
  const bool property = open > 1 && tokens_[open - 2].is(".");
  for (const char* statement : {"if", "for", "while", "switch", "catch", "with", "await"}) {
    if (word.is(statement) && !property) return false;
  }
  return true;  // of a function, or of a method
}

bool ModuleRewriter::in_function(std::size_t index) const {
  std::uint32_t depth = tokens_[index].depth;
  bool in_expression = true;  // still in the expression that the token stands in, which may be what an arrow gives
  for (std::size_t i = index; i-- > 0;) {
    const Token& token = tokens_[i];
    if (tokens_[i + 1].depth == depth && semicolon_put_in(i + 1)) in_expression = false;
    if (token.depth > depth) continue;  // between brackets that are closed again
    if (token.depth < depth) {          // the bracket around all this
      if (token.is("{") && begins_function(i)) return true;
      depth = token.depth;
      in_expression = true;
      continue;
    }
    if (in_expression && token.is("=>")) return true;
    if (token.is(";") || token.is(",")) in_expression = false;
  }
  return false;
}

}  // namespace securebase::k6
