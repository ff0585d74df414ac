// What stands between the quotes of SEARCH (CloudWatch user guide, "CloudWatch search expression syntax"):
//
//   {AWS/Lambda,FunctionName} MetricName="Errors" (checkout OR NOT "canary")
//
// A schema in braces keeps metrics of that namespace with exactly those dimension names. A word is found when its
// tokens stand one after the other in any of the metric's texts, without case; text in double quotes is the whole text,
// with case. NAME=term looks at the metric's name, its namespace or the value of the dimension NAME only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "monitoring/series.h"

namespace securebase::monitoring::math {

inline constexpr std::size_t kSearchBytes = 1024;   // CloudWatch's own
inline constexpr std::size_t kSearchResults = 500;  // CloudWatch's own

class Search {
 public:
  static Result<Search> parse(std::string_view text);
  bool finds(const MetricId& metric) const;
  // What the store may leave out beforehand.
  MetricFilter filter() const;

 private:
  struct Term {
    enum class Kind { kAnd, kOr, kNot, kWord, kExact };
    Kind kind = Kind::kWord;
    std::string designator;           // "MetricName", "Namespace", a dimension; "": everywhere
    std::string text;                 // of kExact
    std::vector<std::string> tokens;  // of kWord
    std::vector<std::size_t> children;
  };
  class Parser;
  bool finds(const Term& term, const MetricId& metric) const;

  std::optional<std::string> name_space_;
  std::optional<std::vector<std::string>> dimensions_;  // sorted
  std::vector<Term> terms_;                             // the last is the root; empty: all
};

// "CustomCount1-eu" is custom, count, 1, eu.
std::vector<std::string> search_tokens(std::string_view text);

}  // namespace securebase::monitoring::math
