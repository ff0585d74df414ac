// Patterns of file names as fileset() takes them: * and ? within a name, ** across directories, [a-z], {one,other}.
#pragma once

#include <string_view>

namespace securebase::stack {

bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace securebase::stack
