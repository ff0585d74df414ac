#include "cli/script_words.h"

#include <string_view>

namespace securebase::cli {

Script script_among(std::span<char* const> words) {
  for (const std::string_view word : words) {
    if (word.starts_with('-') || word.starts_with('@') || word.find("://") != std::string_view::npos) continue;
    for (const auto ending : {".js", ".mjs", ".ts"}) {
      if (word.ends_with(ending)) return Script::kK6;
    }
    for (const auto ending : {".yml", ".yaml"}) {
      if (word.ends_with(ending)) return Script::kArtillery;
    }
  }
  return Script::kNone;
}

}  // namespace securebase::cli
