// The syntax of CloudWatch Logs Insights' query language: a query as a list of commands, with their expressions as
// trees. Foreign text, so bounded: length, depth and number of commands are limited, and the same text gives the same
// tree or the same complaint about the same place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace securebase::logs::insights {

// Where something stands in the query's text; bytes, `end` is behind it.
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Why a query cannot run, as MalformedQueryException says it: offsets in characters.
struct Malformed {
  std::string message;
  std::size_t begin_character = 0;
  std::size_t end_character = 0;
};

template <class T>
using Parsed = Result<T, Malformed>;

Malformed malformed(std::string_view text, Place place, std::string message);

struct Query;

enum class Operator : std::uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
};

// A period of time: milliseconds, or calendar months (which have no fixed length).
struct Period {
  std::int64_t milliseconds = 0;
  std::int64_t months = 0;
  bool weeks = false;  // of Mondays; other periods begin at the epoch
};

struct Expression {
  enum class Kind : std::uint8_t {
    kField,       // segments
    kNumber,      // number
    kText,        // text
    kBoolean,     // number: the words true and false
    kPeriod,      // period
    kCall,        // text: the function, in lower case; children
    kNegate,      // -child
    kNot,         // not child
    kBinary,      // child op child
    kContains,    // child [not] like "text"
    kMatches,     // child [not] like /text/
    kIn,          // child [not] in [the other children, constants]
    kInSubquery,  // child [not] in (subquery)
  };
  Kind kind = Kind::kNumber;
  Operator op{};
  bool negated = false;
  Place place;
  double number = 0;
  Period period;
  std::string text;
  std::vector<std::string> segments;  // a.b.c, `a`.b[0]: each without dot, back-ticks, brackets
  std::vector<Expression> children;
  std::shared_ptr<const Query> subquery;

  // Of a field: its segments with dots between them, as discovered fields are named.
  std::string field_name() const;
  // The same for the same meaning, however it was spaced and cased: how `sort count(*)` finds the column that
  // `stats count( * )` made.
  std::string canonical() const;
};

// An expression and the column it makes. Without `as`, the column is named as the expression was written.
struct Named {
  Expression expression;
  std::string name;
  bool aliased = false;
};

struct Fields {
  std::vector<Named> columns;
};
struct Display {
  std::vector<Named> columns;
};
struct Filter {
  Expression condition;
};
struct ParseGlob {
  Expression input;
  std::string glob;
  std::vector<std::string> names;  // one for each * of the glob
};
struct ParseRegex {
  Expression input;
  std::string pattern;
  std::vector<std::string> names;  // empty: the groups have names of their own
};
struct Stats {
  std::vector<Named> values;
  std::vector<Named> by;
};
struct Sort {
  struct Key {
    Expression expression;
    bool descending = false;
  };
  std::vector<Key> keys;
};
struct Limit {
  std::size_t rows = 0;
};
struct Dedup {
  std::vector<Expression> keys;
};
struct Unnest {
  Expression list;
  std::string name;
};
struct Pattern {
  Expression input;
};
struct Diff {
  enum class Against : std::uint8_t { kPrevious, kDay, kWeek, kMonth } against = Against::kPrevious;
};
struct Join {
  bool left_outer = false;
  std::string left_name, right_name;
  std::vector<std::pair<Expression, Expression>> equal;  // a field of the left side, a field of the right side
  std::shared_ptr<const Query> right;
};
struct Lookup {
  std::string table;
  Place table_place;
  std::vector<std::pair<std::string, Expression>> keys;  // a column of the table, what it has to be equal to
  std::vector<std::string> outputs;                      // columns of the table
};
struct AddTotals {
  std::string name = "Total";  // of the column with the sums of each row
  bool rows = true;
  bool columns = false;            // a last row with the sum of each column
  std::vector<Expression> fields;  // empty: all that are shown
};
struct Unmask {};

struct Command {
  std::variant<Fields, Display, Filter, ParseGlob, ParseRegex, Stats, Sort, Limit, Dedup, Unnest, Pattern, Diff, Join,
               Lookup, AddTotals, Unmask>
      what;
  Place place;
};

// SOURCE: the groups that a query names itself.
struct SourceOf {
  std::vector<std::string> groups;
  std::vector<std::string> prefixes;
};

struct Query {
  std::string text;
  std::optional<SourceOf> source;
  std::vector<Command> commands;
};

struct ParseLimits {
  std::size_t bytes = 10'000;   // CloudWatch's own
  std::size_t depth = 64;       // of parentheses, calls and negations, so that evaluation does not run out of stack
  std::size_t commands = 100;   // more than any query that a person reads
  std::size_t elements = 1000;  // of a list after `in`, and columns of a command
};

constexpr std::size_t kMostRows = 10'000;

Parsed<Query> parse_query(std::string_view text, const ParseLimits& limits = {});

}  // namespace securebase::logs::insights
