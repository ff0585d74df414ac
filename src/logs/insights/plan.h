// A query as it is run. The commands become segments: a segment takes rows (a scan's, or the table that the segment
// before has made) through steps, row by row, into a sink, which makes a table of them. The first segment runs on many
// threads, each with a sink of its own; the sinks are merged.
//
//   scan -> [filter, compute, parse, unnest]* -> sink => table -> [...]* -> sink => table -> shown rows
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "logs/insights/find_text.h"
#include "logs/insights/lookup_table.h"
#include "logs/insights/node.h"
#include "logs/insights/regex.h"
#include "logs/insights/scope.h"
#include "logs/insights/source.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

struct FilterStep {
  NodePtr condition;
};
struct ComputeStep {
  NodePtr node;
  std::size_t place;
};
struct GlobStep {
  NodePtr input;
  std::vector<TextFinder> literals;  // before, between and behind the stars
  std::vector<std::size_t> places;   // one for each star
};
struct RegexStep {
  NodePtr input;
  Regex expression;
  std::vector<int> groups;
  std::vector<std::size_t> places;  // of the groups
};
struct UnnestStep {
  NodePtr list;
  std::size_t place;
};
struct LookupStep {
  std::vector<NodePtr> keys;
  LookupIndex index;
  std::vector<std::size_t> columns;  // of the table
  std::vector<std::size_t> places;   // of the columns
};
using Step = std::variant<FilterStep, ComputeStep, GlobStep, RegexStep, LookupStep, UnnestStep>;

// A column of the table that a sink makes.
struct OutputColumn {
  ColumnInfo info;  // its name, for the segment after
  NodePtr value;    // null: the sink's own (aggregates, patterns)
};

struct SortKey {
  NodePtr value;
  bool descending = false;
};

// Keeps the first rows by some order; with dedup keys, of those the first of each.
struct RowsSpec {
  std::vector<SortKey> sort;  // equal rows: newest first, then as they came
  NodePtr timestamp;          // null: none
  std::size_t limit = kMostRows;
  std::vector<NodePtr> dedup;
};

struct AggregateSpec {
  Function function;
  NodePtr input;  // null: count(*)
  double percent = 0;
};

// The table: the keys, then a column for each aggregate. Its rows are in the order of their keys, times newest first.
struct GroupsSpec {
  std::vector<NodePtr> keys;
  std::vector<AggregateSpec> aggregates;
  NodePtr timestamp;  // null: none; for earliest and latest
};

// The table: @pattern, @sampleCount, @ratio, most frequent first.
struct PatternSpec {
  NodePtr input;
};

using SinkSpec = std::variant<RowsSpec, GroupsSpec, PatternSpec>;

struct Segment {
  // What it reads: fields of the scan, or columns of the table before by their number.
  std::vector<Scope::Field> fields;
  std::vector<std::pair<std::size_t, std::size_t>> columns;  // of the table -> place
  std::vector<std::size_t> time_places;
  std::vector<Step> steps;
  SinkSpec sink;
  std::vector<OutputColumn> outputs;
  std::size_t places = 0;
  std::size_t scratch = 0;
};

struct Plan;

struct JoinPlan {
  std::unique_ptr<Plan> right;
  std::vector<std::pair<std::size_t, std::size_t>> keys;  // column of the left table, column of the right one
  bool outer = false;
  std::size_t right_columns = 0;
  std::vector<bool> right_times;
};

// For each row of the table: the same row of the preceding window. `keys` tell what the same is.
struct DiffPlan {
  Diff::Against against;
  std::vector<std::size_t> keys;
  std::vector<bool> key_is_time;
  std::vector<std::size_t> values;
  bool of_patterns = false;
};

// A last row: the sums of the columns.
struct TotalsPlan {
  std::vector<std::size_t> columns;
};

using After = std::variant<Segment, JoinPlan, DiffPlan, TotalsPlan>;

struct Subquery {
  std::unique_ptr<Plan> plan;
  std::shared_ptr<ValueSet> values;  // of its first column; filled before the plan that asks for them runs
};

struct Plan {
  std::optional<SourceOf> source;  // else the request's groups
  std::vector<Subquery> before;
  Scan hints;  // fields and hints; groups and times are the run's
  Segment first;
  std::vector<After> after;
  struct Shown {
    std::string name;
    std::size_t column;  // of the last table
    Precision precision;
  };
  std::vector<Shown> shown;
};

struct PlanSettings {
  double now_seconds = 0;
  std::size_t limit = kMostRows;
  const LookupTables* tables = nullptr;  // null: there are none
};

// The text is of the query that `query` was parsed from.
Parsed<std::unique_ptr<Plan>> make_plan(const Query& query, const PlanSettings& settings);

}  // namespace securebase::logs::insights
