// Paths without what nobody should find in a file: tokens, keys, addresses.
#pragma once

#include <string>
#include <string_view>

namespace securebase::load {

// `path` without its query and fragment, without matrix parameters (";jsessionid=..."), and with every segment that may
// be a secret replaced by "redacted". It errs to the side of redacting; what it keeps is words, numbers, UUIDs (which
// name something and open nothing, except after a word like "reset"), parameters in braces and the names of built
// assets. A short word cannot be told from a short password: of "/login/hunter" nothing is known but where it stands.
std::string without_secrets(std::string_view path);

}  // namespace securebase::load
