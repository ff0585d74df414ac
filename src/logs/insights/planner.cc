#include "logs/insights/planner.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::logs::insights {

namespace {

void collect_fields(const Expression& expression, FieldPaths& paths) {
  if (expression.kind == Expression::Kind::kField) paths.insert(expression.segments);
  if (expression.kind == Expression::Kind::kCall && expression.text == "bin") paths.insert({"@timestamp"});
  for (const auto& child : expression.children) collect_fields(child, paths);
}

void collect_fields(const std::vector<Named>& columns, FieldPaths& paths) {
  for (const auto& column : columns) collect_fields(column.expression, paths);
}

void collect_fields(const Command& command, FieldPaths& paths) {
  if (const auto* fields = std::get_if<Fields>(&command.what)) return collect_fields(fields->columns, paths);
  if (const auto* display = std::get_if<Display>(&command.what)) return collect_fields(display->columns, paths);
  if (const auto* filter = std::get_if<Filter>(&command.what)) return collect_fields(filter->condition, paths);
  if (const auto* glob = std::get_if<ParseGlob>(&command.what)) return collect_fields(glob->input, paths);
  if (const auto* regex = std::get_if<ParseRegex>(&command.what)) return collect_fields(regex->input, paths);
  if (const auto* pattern = std::get_if<Pattern>(&command.what)) return collect_fields(pattern->input, paths);
  if (const auto* unnest = std::get_if<Unnest>(&command.what)) return collect_fields(unnest->list, paths);
  if (const auto* stats = std::get_if<Stats>(&command.what)) {
    collect_fields(stats->values, paths);
    return collect_fields(stats->by, paths);
  }
  if (const auto* sort = std::get_if<Sort>(&command.what)) {
    for (const auto& key : sort->keys) collect_fields(key.expression, paths);
  } else if (const auto* dedup = std::get_if<Dedup>(&command.what)) {
    for (const auto& key : dedup->keys) collect_fields(key, paths);
  } else if (const auto* lookup = std::get_if<Lookup>(&command.what)) {
    for (const auto& [column, field] : lookup->keys) collect_fields(field, paths);
  } else if (const auto* totals = std::get_if<AddTotals>(&command.what)) {
    for (const auto& field : totals->fields) collect_fields(field, paths);
  } else if (const auto* join = std::get_if<Join>(&command.what)) {
    for (const auto& [left, right] : join->equal) {
      collect_fields(left, paths);
      collect_fields(right, paths);
    }
  }
}

template <class T>
bool is_a(const Command& command) {
  return std::holds_alternative<T>(command.what);
}

// Commands that change which rows there are, or their order: they must see what a limit has left.
bool sees_limit(const Command& command) {
  return !is_a<Fields>(command) && !is_a<Display>(command) && !is_a<Limit>(command) && !is_a<ParseGlob>(command) &&
         !is_a<ParseRegex>(command) && !is_a<Lookup>(command) && !is_a<Unmask>(command);
}

}  // namespace

Planner::Planner(const Query& query, const PlanSettings& settings, FieldPaths extra)
    : query_(query),
      settings_(settings),
      extra_(std::move(extra)),
      plan_(std::make_unique<Plan>()),
      compiler_(query.text, settings.now_seconds, [this](const Query& inner) { return subquery(inner); }) {}

Parsed<std::unique_ptr<Plan>> Planner::whole() {
  plan_->source = query_.source;
  for (at_ = 0; at_ < query_.commands.size(); ++at_) {
    if (auto taken = take(query_.commands[at_]); !taken) return taken.error();
  }
  if (auto taken = finish(); !taken) return taken.error();
  return std::move(plan_);
}

Parsed<Done> Planner::take(const Command& command) {
  if (limit_ && sees_limit(command)) {
    if (auto taken = break_off(); !taken) return taken;
  }
  return std::visit([this](const auto& what) { return take(what); }, command.what);
}

Parsed<Done> Planner::take(const Fields& fields) {
  for (const auto& column : fields.columns) {
    if (auto taken = define(column); !taken) return taken;
    show(fields_, column.name);
  }
  fields_given_ = true;
  return Done{};
}

Parsed<Done> Planner::take(const Display& display) {
  display_.clear();
  for (const auto& column : display.columns) {
    if (auto taken = define(column); !taken) return taken;
    show(display_, column.name);
  }
  return Done{};
}

Parsed<Done> Planner::take(const Filter& filter) {
  auto condition = compiler_.compile(filter.condition, scope_);
  if (!condition) return condition.error();
  if (reading_events() && !unnested_) Compiler::add_hints(filter.condition, scope_, plan_->hints);
  segment_.steps.push_back(FilterStep{std::move(*condition)});
  return Done{};
}

Parsed<Done> Planner::take(const ParseGlob& parse) {
  auto input = compiler_.compile(parse.input, scope_);
  if (!input) return input.error();
  GlobStep step{std::move(*input), {}, {}};
  std::size_t begin = 0;
  while (true) {
    const auto star = parse.glob.find('*', begin);
    step.literals.emplace_back(parse.glob.substr(begin, star - begin));
    if (star == std::string::npos) break;
    begin = star + 1;
  }
  for (const auto& name : parse.names) step.places.push_back(parsed(name));
  segment_.steps.push_back(std::move(step));
  return Done{};
}

Parsed<Done> Planner::take(const ParseRegex& parse) {
  auto input = compiler_.compile(parse.input, scope_);
  if (!input) return input.error();
  auto expression = Regex::compile(parse.pattern);
  if (!expression) return compiler_.wrong(place(), expression.error().message);
  RegexStep step{std::move(*input), std::move(*expression), {}, {}};
  const auto groups = step.expression.groups();
  if (!parse.names.empty() && static_cast<int>(parse.names.size()) != groups) {
    return compiler_.wrong(
        place(), fmt::format("a name for each group is expected: {} groups and {} names", groups, parse.names.size()));
  }
  for (std::size_t i = 0; i < parse.names.size(); ++i) {
    step.groups.push_back(static_cast<int>(i) + 1);
    step.places.push_back(parsed(parse.names[i]));
  }
  if (parse.names.empty()) {
    for (const auto& [group, name] : step.expression.names()) {
      step.groups.push_back(group);
      step.places.push_back(parsed(name));
    }
  }
  if (step.groups.empty()) {
    return compiler_.wrong(place(), "the expression has no group with a name: (?<name>...), or groups and as ...");
  }
  segment_.steps.push_back(std::move(step));
  return Done{};
}

Parsed<Done> Planner::take(const Unnest& unnest) {
  auto list = compiler_.compile(unnest.list, scope_);
  if (!list) return list.error();
  segment_.steps.push_back(UnnestStep{std::move(*list), parsed(unnest.name)});
  unnested_ = true;
  return Done{};
}

Parsed<Done> Planner::take(const Sort& sort) {
  sort_.clear();
  for (const auto& key : sort.keys) {
    auto value = compiler_.compile(key.expression, scope_);
    if (!value) return value.error();
    sort_.push_back({std::move(*value), key.descending});
  }
  return Done{};
}

Parsed<Done> Planner::take(const Limit& limit) {
  limit_ = std::min(limit_.value_or(kMostRows), limit.rows);
  return Done{};
}

Parsed<Done> Planner::take(const Dedup& dedup) {
  for (const auto& key : dedup.keys) {
    auto value = compiler_.compile(key, scope_);
    if (!value) return value.error();
    dedup_.push_back(std::move(*value));
  }
  return Done{};
}

// A column that is more than a field by its own name gets a register of its own.
Parsed<Done> Planner::define(const Named& column) {
  auto node = compiler_.compile(column.expression, scope_);
  if (!node) return node.error();
  if (column.expression.kind == Expression::Kind::kField && !column.aliased) {
    const auto found = scope_.find(column.expression.segments);
    if (found && found->path.empty()) {
      // a.x of a join is x of its left side: one column under two names.
      if (found->column.name != column.name) {
        scope_.define(column.name, "", found->column.time, found->column.precision, found->column.place);
      }
      return Done{};
    }
  }
  const auto info = scope_.define(column.name, column.aliased ? "" : column.expression.canonical(), (*node)->time,
                                  (*node)->precision);
  segment_.steps.push_back(ComputeStep{std::move(*node), info.place});
  return Done{};
}

// What `parse` and `unnest` make is shown, too, unless a display says otherwise.
std::size_t Planner::parsed(const std::string& name) {
  show(made_, name);
  return scope_.define(name, "", false, Precision::kStored).place;
}

void Planner::show(std::vector<std::string>& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

std::vector<std::string> Planner::shown_names() const {
  if (!display_.empty()) return display_;
  auto names = fields_;
  if (!fields_given_) names = base_;
  for (const auto& name : made_) show(names, name);
  return names;
}

NodePtr Planner::timestamp() {
  const auto found = scope_.find({"@timestamp"});
  return found ? field_node(found->column.place, found->column.time, Precision::kStored) : nullptr;
}

// The rows so far as a table, in their order; `needed` are the columns that later commands ask for.
Parsed<Done> Planner::end_rows(const std::vector<std::string>& names, const FieldPaths& needed, std::size_t limit) {
  RowsSpec rows;
  rows.sort = std::move(sort_);
  rows.limit = limit;
  rows.dedup = std::move(dedup_);
  rows.timestamp = reading_events() || !rows.dedup.empty() ? timestamp() : nullptr;
  std::vector<std::string> taken;
  const auto output = [&](const std::vector<std::string>& segments) {
    const auto found = scope_.find(segments);
    if (!found || std::find(taken.begin(), taken.end(), found->column.name) != taken.end()) return;
    taken.push_back(found->column.name);
    segment_.outputs.push_back(
        {found->column, field_node(found->column.place, found->column.time, found->column.precision)});
  };
  for (const auto& name : names) output({name});
  for (const auto& path : needed) output(path);
  sort_.clear();
  dedup_.clear();
  limit_.reset();
  segment_.sink = std::move(rows);
  return end_segment();
}

// What is behind this command asks for these fields.
FieldPaths Planner::needed_later(std::size_t from) const {
  FieldPaths paths = extra_;
  for (std::size_t i = from; i < query_.commands.size(); ++i) collect_fields(query_.commands[i], paths);
  return paths;
}

Parsed<Done> Planner::break_off() {
  auto needed = needed_later(at_);
  if (reading_events()) {
    needed.insert({"@timestamp"});
    needed.insert({"@ptr"});
    raw_ = true;
  }
  return end_rows(shown_names(), needed, limit_.value_or(kMostRows));
}

// Closes the segment; its outputs are the columns of the scope after.
Parsed<Done> Planner::end_segment() {
  if (reading_events()) segment_.fields = scope_.fields();
  for (const auto& field : segment_.fields) {
    if (field.name == "@timestamp" || field.name == "@ingestionTime") segment_.time_places.push_back(field.place);
  }
  segment_.places = scope_.places();
  segment_.scratch = scope_.scratch();
  std::vector<ColumnInfo> columns;
  for (const auto& output : segment_.outputs) columns.push_back(output.info);
  if (reading_events()) {
    for (const auto& field : segment_.fields) plan_->hints.fields.push_back(field.name);
    plan_->first = std::move(segment_);
  } else {
    plan_->after.emplace_back(std::move(segment_));
  }
  open_table(columns);
  return Done{};
}

// A scope whose columns are those of the table that is there now.
void Planner::open_table(const std::vector<ColumnInfo>& columns) {
  segment_ = Segment{};
  scope_ = Scope(Scope::Kind::kClosed);
  table_.clear();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto info = scope_.define(columns[i].name, columns[i].canonical, columns[i].time, columns[i].precision);
    segment_.columns.emplace_back(i, info.place);
    table_.push_back(info);
  }
}

// From here on the rows are others: what was to be shown is forgotten.
void Planner::show_anew(std::vector<std::string> names) {
  base_ = std::move(names);
  fields_.clear();
  display_.clear();
  made_.clear();
  fields_given_ = false;
  raw_ = false;
}

Parsed<Done> Planner::finish() {
  if (reading_events()) raw_ = true;
  auto names = shown_names();
  if (raw_) show(names, "@ptr");
  const auto limit = std::min(limit_.value_or(settings_.limit), settings_.limit);
  if (auto taken = end_rows(names, extra_, limit); !taken) return taken;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    if (std::find(names.begin(), names.end(), table_[i].name) == names.end()) continue;
    plan_->shown.push_back({table_[i].name, i, table_[i].precision});
  }
  return Done{};
}

Parsed<std::shared_ptr<const ValueSet>> Planner::subquery(const Query& inner) {
  auto plan = Planner(inner, {settings_.now_seconds, kMostInnerRows, settings_.tables}, {}).whole();
  if (!plan) return plan.error();
  auto values = std::make_shared<ValueSet>();
  plan_->before.push_back({std::move(*plan), values});
  return std::shared_ptr<const ValueSet>(values);
}

Parsed<std::unique_ptr<Plan>> make_plan(const Query& query, const PlanSettings& settings) {
  return Planner(query, settings, {}).whole();
}

}  // namespace securebase::logs::insights
