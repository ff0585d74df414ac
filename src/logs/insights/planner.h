// Makes the plan of a query, command after command: planner.cc has what works on rows and how segments end,
// planner_tables.cc what makes or brings tables.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "logs/insights/compile.h"
#include "logs/insights/plan.h"

namespace securebase::logs::insights {

// Rows of a subquery, or of the other side of a join, that says no limit: as many as memory allows.
inline constexpr std::size_t kMostInnerRows = std::numeric_limits<std::size_t>::max();

using FieldPaths = std::set<std::vector<std::string>>;

class Planner {
 public:
  Planner(const Query& query, const PlanSettings& settings, FieldPaths extra);

  Parsed<std::unique_ptr<Plan>> whole();

 private:
  Parsed<Done> take(const Command& command);
  Parsed<Done> take(const Fields& fields);
  Parsed<Done> take(const Display& display);
  Parsed<Done> take(const Filter& filter);
  Parsed<Done> take(const ParseGlob& parse);
  Parsed<Done> take(const ParseRegex& parse);
  Parsed<Done> take(const Unnest& unnest);
  Parsed<Done> take(const Sort& sort);
  Parsed<Done> take(const Limit& limit);
  Parsed<Done> take(const Dedup& dedup);
  Parsed<Done> take(const Unmask&) { return Done{}; }
  Parsed<Done> take(const Stats& stats);
  Parsed<Done> add_aggregates(const Expression& expression, GroupsSpec& groups);
  Parsed<Done> take(const Pattern& pattern);
  Parsed<Done> take(const Join& join);
  Parsed<Done> take(const Diff& diff);
  Parsed<Done> take(const Lookup& lookup);
  Parsed<Done> take(const AddTotals& totals);

  // A column that is more than a field by its own name gets a register of its own.
  Parsed<Done> define(const Named& column);

  // What `parse` and `unnest` make is shown, too, unless a display says otherwise.
  std::size_t parsed(const std::string& name);

  static void show(std::vector<std::string>& list, const std::string& name);

  bool reading_events() const { return scope_.kind() == Scope::Kind::kOpen; }
  Place place() const { return query_.commands[at_].place; }

  std::vector<std::string> shown_names() const;

  NodePtr timestamp();

  // The rows so far as a table, in their order; `needed` are the columns that later commands ask for.
  Parsed<Done> end_rows(const std::vector<std::string>& names, const FieldPaths& needed, std::size_t limit);

  // What is behind this command asks for these fields.
  FieldPaths needed_later(std::size_t from) const;

  Parsed<Done> break_off();

  // Closes the segment; its outputs are the columns of the scope after.
  Parsed<Done> end_segment();

  // A scope whose columns are those of the table that is there now.
  void open_table(const std::vector<ColumnInfo>& columns);

  // From here on the rows are others: what was to be shown is forgotten.
  void show_anew(std::vector<std::string> names);

  Parsed<Done> finish();

  Parsed<std::shared_ptr<const ValueSet>> subquery(const Query& inner);

  const Query& query_;
  const PlanSettings settings_;
  const FieldPaths extra_;  // fields to be in the last table beside what is shown
  std::unique_ptr<Plan> plan_;
  Compiler compiler_;
  std::size_t at_ = 0;

  Scope scope_{Scope::Kind::kOpen};
  Segment segment_;
  std::vector<ColumnInfo> table_;  // what the table that the segment reads has
  std::vector<SortKey> sort_;
  std::vector<NodePtr> dedup_;
  std::optional<std::size_t> limit_;
  bool unnested_ = false;

  std::vector<std::string> base_ = {"@timestamp", "@message"};  // shown where nothing is said
  std::vector<std::string> fields_;
  std::vector<std::string> display_;
  std::vector<std::string> made_;
  bool fields_given_ = false;
  bool raw_ = false;  // the rows are events
};

}  // namespace securebase::logs::insights
