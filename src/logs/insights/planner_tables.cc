#include <fmt/format.h>

#include <algorithm>

#include "logs/insights/planner.h"

namespace securebase::logs::insights {

// Every aggregate in the expression becomes a column of the table, found by its canonical form.
Parsed<Done> Planner::add_aggregates(const Expression& expression, GroupsSpec& groups) {
  if (expression.kind != Expression::Kind::kCall || !is_aggregate(find_function(expression.text)->function)) {
    for (const auto& child : expression.children) {
      if (auto taken = add_aggregates(child, groups); !taken) return taken;
    }
    return Done{};
  }
  const auto canonical = expression.canonical();
  for (const auto& output : segment_.outputs) {
    if (output.info.name.empty() && output.info.canonical == canonical) return Done{};
  }
  AggregateSpec aggregate{find_function(expression.text)->function, nullptr, 0};
  ColumnInfo info{"", canonical, 0, false, Precision::kComputed};
  if (!expression.children.empty()) {
    auto input = compiler_.compile(expression.children[0], scope_);
    if (!input) return input.error();
    using enum Function;
    const auto function = aggregate.function;
    if (function == kMin || function == kMax || function >= kEarliest) info.precision = (*input)->precision;
    info.time = function >= kEarliest && (*input)->time;
    aggregate.input = std::move(*input);
  }
  if (aggregate.function == Function::kPct) {
    const auto& percent = expression.children[1];
    if (percent.kind != Expression::Kind::kNumber || percent.number < 0 || percent.number > 100) {
      return compiler_.wrong(percent.place, "expected the percentage as a number from 0 to 100, as in pct(f, 95)");
    }
    aggregate.percent = percent.number;
  }
  groups.aggregates.push_back(std::move(aggregate));
  segment_.outputs.push_back({info, nullptr});
  return Done{};
}

Parsed<Done> Planner::take(const Stats& stats) {
  GroupsSpec groups;
  std::vector<std::string> names;
  for (const auto& key : stats.by) {
    auto node = compiler_.compile(key.expression, scope_);
    if (!node) return node.error();
    ColumnInfo info{key.name, "", 0, (*node)->time, (*node)->precision};
    if (!key.aliased && key.expression.kind != Expression::Kind::kField) info.canonical = key.expression.canonical();
    // Under an alias it is found as it was written, too: `by bin(5m) as t | sort bin(5m)`.
    if (key.aliased && key.expression.kind == Expression::Kind::kCall) info.canonical = key.expression.canonical();
    segment_.outputs.push_back({info, nullptr});
    groups.keys.push_back(std::move(*node));
    show(names, key.name);
  }
  for (const auto& value : stats.values) {
    if (auto taken = add_aggregates(value.expression, groups); !taken) return taken;
  }
  groups.timestamp = timestamp();
  segment_.sink = std::move(groups);
  sort_.clear();
  if (auto taken = end_segment(); !taken) return taken;
  for (const auto& value : stats.values) {
    auto node = compiler_.compile(value.expression, scope_);
    if (!node) return node.error();
    const auto info = scope_.define(value.name, value.expression.canonical(), (*node)->time, (*node)->precision);
    segment_.steps.push_back(ComputeStep{std::move(*node), info.place});
    show(names, value.name);
  }
  show_anew(std::move(names));
  return Done{};
}

Parsed<Done> Planner::take(const Pattern& pattern) {
  auto input = compiler_.compile(pattern.input, scope_);
  if (!input) return input.error();
  std::vector<std::string> names;
  for (const char* name : {"@pattern", "@sampleCount", "@ratio"}) {
    segment_.outputs.push_back({{name, "", 0, false, Precision::kComputed}, nullptr});
    names.emplace_back(name);
  }
  segment_.sink = PatternSpec{std::move(*input)};
  sort_.clear();
  if (auto taken = end_segment(); !taken) return taken;
  show_anew(std::move(names));
  return Done{};
}

Parsed<Done> Planner::take(const Join& join) {
  FieldPaths right_fields;
  FieldPaths left_fields;
  const auto later = needed_later(at_);
  for (const auto& path : later) {
    if (path.size() > 1 && path[0] == join.right_name) {
      right_fields.insert({path.begin() + 1, path.end()});
    } else if (path.size() > 1 && path[0] == join.left_name) {
      left_fields.insert({path.begin() + 1, path.end()});
    }
  }
  auto right = Planner(*join.right, {settings_.now_seconds, kMostInnerRows, settings_.tables}, right_fields).whole();
  if (!right) return right.error();
  std::vector<std::string> right_names;
  const auto names_before = shown_names();
  for (const auto& shown : (*right)->shown) {
    if (shown.name != "@ptr" && std::find(names_before.begin(), names_before.end(), shown.name) == names_before.end()) {
      right_names.push_back(shown.name);
    }
  }
  for (const auto& path : later) {
    const bool qualified = path.size() > 1 && (path[0] == join.right_name || path[0] == join.left_name);
    Expression field;
    field.segments = path;
    const bool rights = std::find(right_names.begin(), right_names.end(), field.field_name()) != right_names.end();
    if (!qualified && !rights) left_fields.insert(path);
  }
  if (reading_events()) left_fields.insert({"@timestamp"});
  // All rows, bounded by memory, not by number.
  if (auto taken = end_rows(names_before, left_fields, kMostInnerRows); !taken) return taken;

  JoinPlan made;
  made.outer = join.left_outer;
  std::vector<ColumnInfo> columns = table_;
  std::vector<ColumnInfo> right_columns;
  const auto* last = (*right)->after.empty() ? &(*right)->first : std::get_if<Segment>(&(*right)->after.back());
  if (last == nullptr) return compiler_.wrong(place(), "the other side of a join cannot end in diff or column totals");
  for (const auto& output : last->outputs) right_columns.push_back(output.info);
  for (auto info : right_columns) {
    made.right_times.push_back(info.time);
    info.name = join.right_name + "." + info.name;
    info.canonical.clear();
    columns.push_back(info);
  }
  made.right_columns = right_columns.size();
  for (const auto& [left, other] : join.equal) {
    const std::vector<std::string> left_path(left.segments.begin() + 1, left.segments.end());
    const auto left_column = scope_.find(left_path);
    Expression right_field = other;
    right_field.segments.erase(right_field.segments.begin());
    const auto right_at = std::find_if(right_columns.begin(), right_columns.end(),
                                       [&](const ColumnInfo& info) { return info.name == right_field.field_name(); });
    if (!left_column || !left_column->path.empty() || right_at == right_columns.end()) {
      return compiler_.wrong({left.place.begin, other.place.end},
                             "a join is by whole fields; a part of a JSON value gets a name by fields first");
    }
    const auto left_at = std::find_if(table_.begin(), table_.end(),
                                      [&](const ColumnInfo& info) { return info.place == left_column->column.place; });
    made.keys.emplace_back(static_cast<std::size_t>(left_at - table_.begin()),
                           static_cast<std::size_t>(right_at - right_columns.begin()));
  }
  auto names = names_before;
  for (const auto& shown : (*right)->shown) {
    if (shown.name != "@ptr") names.push_back(join.right_name + "." + shown.name);
  }
  made.right = std::move(*right);
  plan_->after.emplace_back(std::move(made));
  open_table(columns);
  scope_.join_names(join.left_name, join.right_name);
  show_anew(std::move(names));
  return Done{};
}

Parsed<Done> Planner::take(const Diff& diff) {
  for (const auto& after : plan_->after) {
    if (std::holds_alternative<JoinPlan>(after)) {
      return compiler_.wrong(place(), "a query has a join or a diff, not both");
    }
  }
  const bool of_patterns = base_.size() == 3 && base_[0] == "@pattern";
  const auto names_before = shown_names();
  // Keys are what the last stats went by.
  std::vector<std::string> keys;
  if (of_patterns) keys.emplace_back("@pattern");
  for (std::size_t i = 0; i < at_ && !of_patterns; ++i) {
    const auto* stats = std::get_if<Stats>(&query_.commands[i].what);
    if (stats == nullptr) continue;
    keys.clear();
    for (const auto& key : stats->by) keys.push_back(key.name);
  }
  if (auto taken = end_rows(names_before, {}, kMostRows); !taken) return taken;
  DiffPlan made{diff.against, {}, {}, {}, of_patterns};
  std::vector<ColumnInfo> columns;
  std::vector<std::string> names;
  const auto add = [&](std::string name, bool time) {
    columns.push_back({name, "", 0, time, Precision::kComputed});
    names.push_back(std::move(name));
  };
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (std::find(keys.begin(), keys.end(), table_[i].name) != keys.end()) {
      made.keys.push_back(i);
      made.key_is_time.push_back(table_[i].time);
      add(table_[i].name, table_[i].time);
    } else if (!of_patterns || table_[i].name == "@sampleCount") {
      made.values.push_back(i);
    }
  }
  for (const auto i : made.values) {
    add(table_[i].name, table_[i].time);
    add(table_[i].name + "_previous", false);
    add(table_[i].name + "_difference", false);
  }
  add("@differenceDescription", false);
  plan_->after.emplace_back(std::move(made));
  open_table(columns);
  show_anew(std::move(names));
  return Done{};
}

Parsed<Done> Planner::take(const Lookup& lookup) {
  auto table = settings_.tables == nullptr ? LookupTables::none(lookup.table) : settings_.tables->find(lookup.table);
  if (!table) return compiler_.wrong(lookup.table_place, table.error().message);
  const auto column_of = [&](const std::string& name) -> Parsed<std::size_t> {
    if (const auto found = (*table)->column(name)) return *found;
    return compiler_.wrong(place(), fmt::format("the lookup table {} has no column \"{}\"", lookup.table, name));
  };
  LookupStep step;
  std::vector<std::size_t> key_columns;
  for (const auto& [name, field] : lookup.keys) {
    auto column = column_of(name);
    if (!column) return column.error();
    key_columns.push_back(*column);
    auto node = compiler_.compile(field, scope_);
    if (!node) return node.error();
    step.keys.push_back(std::move(*node));
  }
  for (const auto& name : lookup.outputs) {
    auto column = column_of(name);
    if (!column) return column.error();
    step.columns.push_back(*column);
    step.places.push_back(parsed(name));
  }
  step.index = LookupIndex(std::move(*table), std::move(key_columns));
  segment_.steps.push_back(std::move(step));
  return Done{};
}

// A sum for each row is a column like others. The sums of columns are of all rows, so they end the segment.
Parsed<Done> Planner::take(const AddTotals& totals) {
  std::vector<std::vector<std::string>> summed;
  for (const auto& field : totals.fields) summed.push_back(field.segments);
  if (summed.empty()) {
    for (const auto& name : shown_names()) summed.push_back({name});
  }
  if (totals.rows) {
    std::vector<NodePtr> inputs;
    for (const auto& segments : summed) {
      Expression field;
      field.kind = Expression::Kind::kField;
      field.segments = segments;
      field.place = place();
      auto node = compiler_.compile(field, scope_);
      if (!node) return node.error();
      inputs.push_back(std::move(*node));
    }
    const auto info = scope_.define(totals.name, "", false, Precision::kComputed);
    segment_.steps.push_back(ComputeStep{sum_node(std::move(inputs), scope_.new_scratch()), info.place});
    show(display_.empty() ? made_ : display_, totals.name);
    summed.push_back({totals.name});
  }
  if (!totals.columns) return Done{};
  auto needed = needed_later(at_ + 1);
  for (const auto& segments : summed) needed.insert(segments);
  if (reading_events()) {
    needed.insert({"@timestamp"});
    needed.insert({"@ptr"});
    raw_ = true;
  }
  // One row less than may be shown: the sums are the last one.
  if (auto taken = end_rows(shown_names(), needed, std::min(limit_.value_or(kMostRows), kMostRows - 1)); !taken) {
    return taken;
  }
  TotalsPlan made;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const auto is_summed = [&](const auto& segments) {
      Expression field;
      field.segments = segments;
      return field.field_name() == table_[i].name;
    };
    if (std::any_of(summed.begin(), summed.end(), is_summed)) made.columns.push_back(i);
  }
  plan_->after.emplace_back(std::move(made));
  open_table(std::vector<ColumnInfo>(table_));
  return Done{};
}

}  // namespace securebase::logs::insights
