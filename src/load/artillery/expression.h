// The expressions of `ifTrue` and of `ensure`'s conditions: filtrex, the language that Artillery takes them in.
//
//   http.response_time.p95 < 250 and http.codes.500 == 0
//   plan == "pro" and (age >= 18 or country in ("AT", "CH"))
//
// or, and, not; == != < <= > >= ~= (regular expression), in, not in; + - * / % (or mod) ^; ? :; functions such as
// min, max, round, abs. "x" is text, 'x' a name with whatever is in it. Comparisons give 1 or 0. Immutable; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

class Expression {
 public:
  struct Limits {
    std::size_t text_bytes = 16 << 10;
    int depth = 100;
  };
  // `names` are names that are taken as a whole, though they hold characters that a name has not (metrics such as
  // "plugins.metrics-by-endpoint.response_time./v1/x.p95"): the longest that fits wins. The error names the column.
  static Result<Expression> parse(std::string_view text, const std::vector<std::string>& names, Limits limits);
  static Result<Expression> parse(std::string_view text, const std::vector<std::string>& names = {}) {
    return parse(text, names, Limits{});
  }

  // Gives the value of a name; null: undefined. The pointer lives until the evaluation ends.
  using Lookup = std::function<const base::Json*(std::string_view)>;
  // Undefined, and what JavaScript would call NaN, are null.
  base::Json evaluate(const Lookup& lookup) const;
  // As JavaScript's if() sees the value.
  bool truthy(const Lookup& lookup) const;
  // The names that it reads, each once.
  std::vector<std::string> names() const;
  const std::string& source() const { return source_; }

  struct Node;

 private:
  std::string source_;
  std::shared_ptr<const Node> root_;
};

bool truthy(const base::Json& value);
// As JavaScript's Number() has it; NaN: it is none, as undefined, lists and objects are.
double as_number(const base::Json& value);

}  // namespace securebase::load::artillery
