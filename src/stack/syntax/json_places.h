// Where the values of a JSON text stand: a tree of the same shape as the value, so that both can be walked side by
// side.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "stack/diagnostic.h"

namespace securebase::stack {

struct JsonPlace {
  SourceRange range;             // of the value; of a string without its quotes
  SourceRange name;              // of a member's name, without its quotes; else none
  std::vector<JsonPlace> inner;  // of the elements, or of the members, in their order
  bool has_escapes = false;      // a string's text in the file is not its value
};

// Reads as much as is JSON. `stopped`, where it is given: how far that was, for a text that is none.
JsonPlace json_places(const std::shared_ptr<const SourceFile>& file, Position* stopped = nullptr);

}  // namespace securebase::stack
