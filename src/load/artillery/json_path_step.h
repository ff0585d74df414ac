// The parts of a parsed JSONPath, for its two files: json_path_parser.cc makes them, json_path.cc walks along them.
#pragma once

#include <re2/re2.h>

#include <optional>

#include "load/artillery/json_path.h"

namespace securebase::load::artillery {

struct JsonPath::Step {
  enum class Kind {
    kNames,     // one or more members
    kIndices,   // one or more elements; below zero there are none
    kSlice,     // [begin:end:step]
    kAll,       // *
    kFilter,    // ?(...)
    kFromLast,  // (@.length-n)
  };
  Kind kind = Kind::kNames;
  bool anywhere = false;  // after "..": of the value and of everything below it
  std::vector<std::string> names;
  std::vector<std::int64_t> indices;
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> end;
  std::int64_t stride = 1;
  std::int64_t from_last = 0;
  std::shared_ptr<const Filter> filter;
};

struct JsonPath::Filter {
  enum class Kind { kOr, kAnd, kNot, kCompare, kMatch, kIncludes, kPath, kConstant, kUndefined };
  Kind kind = Kind::kConstant;
  std::string comparison;          // == != === !== < <= > >=
  std::vector<std::string> steps;  // of kPath, from @ on; a last "length" may be of a list or text
  base::Json constant;             // of kIncludes, too: the text that is looked for
  std::shared_ptr<const re2::RE2> pattern;
  std::vector<std::shared_ptr<const Filter>> parts;
};

// Reads the steps after the leading $.
Result<std::vector<JsonPath::Step>> parse_json_path(std::string_view text, const JsonPath::Limits& limits);

}  // namespace securebase::load::artillery
