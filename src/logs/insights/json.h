// JSON values inside a query: a map or a list is the text that it was written with, and is taken apart on access.
#pragma once

#include <simdjson.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/insights/cell.h"

namespace securebase::logs::insights {

// One thread's parser; its memory grows to the longest text.
struct JsonReader {
  simdjson::dom::parser parser;
};

// The text if it is wholly a JSON map or list (blanks around it are cut away); a number, a text or 1/0 for what is a
// scalar; missing for what is no JSON and for null.
Cell json_parse(JsonReader& reader, std::string_view text, Arena& arena);
// What stands at a path in a map or list: segments are keys, or numbers of a list's elements.
Cell json_at(JsonReader& reader, std::string_view text, std::span<const std::string> path, Arena& arena);
// A map or a list as it is, a number as a number, anything else in quotes.
Cell json_stringify(JsonReader& reader, const Cell& cell, Arena& arena);
// The elements of a list; anything that is not one is a list of one.
void json_elements(JsonReader& reader, const Cell& cell, Arena& arena, std::vector<Cell>& elements);

}  // namespace securebase::logs::insights
