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

bool ModuleRewriter::in_function(std::size_t index) {
  if (in_functions_.empty()) note_functions();
  return in_functions_[index];
}

void ModuleRewriter::note_functions() {
  struct Level {
    bool inside;  // a function is around this bracket
    bool arrow;   // still in the expression that an arrow gives
  };
  std::vector<Level> levels{{false, false}};
  in_functions_.resize(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    while (levels.size() > token.depth + 1) levels.pop_back();
    while (levels.size() < token.depth + 1) {  // the token before opened it
      const Level around = levels.back();
      const bool body = tokens_[i - 1].is("{") && begins_function(i - 1);
      levels.push_back({around.inside || around.arrow || body, false});
    }
    Level& level = levels.back();
    if (semicolon_put_in(i)) level.arrow = false;
    in_functions_[i] = level.inside || level.arrow;
    if (token.is("=>")) level.arrow = true;
    if (token.is(";") || token.is(",")) level.arrow = false;
  }
}

}  // namespace securebase::k6
