// JSONPath as Artillery's captures write it (jsonpath-plus): $.a.b[0], $['a b'], $..id, $.list[*].id, [1:3], [-1:],
// [0,2], [a,b], ["a","b"], [?(@.price < 10 && @.kind == 'x')], [(@.length-1)], and .length of lists and texts. Filters
// compare as JavaScript does, and know match(), test(), includes(), startsWith() and endsWith(). What it cannot do
// (other JavaScript in filters, ^, ~) is an error when the script is read. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

class JsonPath {
 public:
  struct Limits {
    std::size_t text_bytes = 4 << 10;
    int depth = 32;                  // of a filter's brackets
    std::size_t visits = 2'000'000;  // of values, in one search: $..*..* of a large document would take minutes
    std::size_t most_found = 100'000;
  };
  static Result<JsonPath> parse(std::string_view text) { return parse(text, Limits{}); }
  static Result<JsonPath> parse(std::string_view text, Limits limits);

  // In document order. kLimit: more visits or matches than allowed.
  Result<std::vector<base::Json>> search(const base::Json& document) const;
  const std::string& source() const { return source_; }

  struct Step;
  struct Filter;

 private:
  std::string source_;
  Limits limits_;
  std::shared_ptr<const std::vector<Step>> steps_;
};

}  // namespace securebase::load::artillery
