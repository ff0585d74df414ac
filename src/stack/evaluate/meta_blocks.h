// The blocks that belong to the language itself: their arguments are known, so a misspelt one is found.
#pragma once

#include "stack/diagnostic.h"
#include "stack/syntax/ast.h"

namespace securebase::stack {

// A name near to a known one is an error; one that is far from all is a warning, for it may be newer than the list.
// Of resources only what the language itself reads of them (`lifecycle`) is looked at.
void check_meta_block(const BlockSyntax& block, Diagnostics& diagnostics);

}  // namespace securebase::stack
