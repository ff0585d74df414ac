// X-Ray's filter expressions (developer guide, "Using filter expressions"):
//
//   service("api/prod") { fault }      http.url CONTAINS "/v1" AND responsetime > 0.2
//   annotation.tenant = "a"            edge("edge", "api/prod") { error }       !ok OR duration >= 1
//
// Parsing is apart from judging: an expression is compiled once and held against many traces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "traces/segment/segment.h"

namespace securebase::traces {

class Filter {
 public:
  struct Limits {
    std::size_t bytes = 2000;  // FilterExpression, AWS X-Ray API
    int levels = 32;           // of parentheses and braces
  };

  // The error says where, what was expected, and what may have been meant.
  static Result<Filter> parse(std::string_view text) { return parse(text, Limits{}); }
  static Result<Filter> parse(std::string_view text, Limits limits);

  // Everything passes an empty expression.
  bool matches(const Trace& trace) const;

  struct Expression;
  const Expression* expression() const { return expression_.get(); }  // syntax.h; null: empty

 private:
  std::shared_ptr<const Expression> expression_;  // null: empty
};

}  // namespace securebase::traces
