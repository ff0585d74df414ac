// `securebase load run FILE`: a script is run by the tool whose it is, with that tool's options and exit codes.
#pragma once

#include <span>

namespace securebase::cli {

enum class Script { kNone, kK6, kArtillery };

// Whose script stands among the words behind `load run`, by its ending: .js, .mjs and .ts are k6's, .yml and .yaml
// Artillery's. Words with "://" are URLs; those that begin with '-' or '@' belong to options.
Script script_among(std::span<char* const> words);

}  // namespace securebase::cli
