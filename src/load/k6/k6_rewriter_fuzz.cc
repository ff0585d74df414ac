// Any bytes as a script: tokens lie in it in order, and what is rewritten keeps its lines.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "k6/rewriter.h"
#include "k6/tokens.h"

namespace {
void believe(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::k6;  // NOLINT
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto tokens = tokenize(source);
  std::size_t end = 0;
  if (tokens) {
    for (const auto& token : *tokens) {
      believe(token.offset >= end && !token.text.empty() && token.end() <= source.size() && token.line >= 1 &&
              token.column >= 1);
      end = token.end();
    }
  }
  const auto text = rewrite(source);
  if (text) {
    believe(tokens.has_value());
    believe(std::count(source.begin(), source.end(), '\n') == std::count(text->body.begin(), text->body.end(), '\n'));
    for (const auto& import : text->imports) believe(import.dependency < text->dependencies.size());
  }
  return 0;
}
