#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "logs/insights/compile.h"
#include "logs/insights/plan.h"

namespace securebase::logs::insights {

namespace {

// Rows of a subquery, or of the other side of a join, that says no limit: as many as memory allows.
constexpr std::size_t kMostInnerRows = std::numeric_limits<std::size_t>::max();

using FieldPaths = std::set<std::vector<std::string>>;

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
         !is_a<ParseRegex>(command) && !is_a<Unmask>(command);
}

class Planner {
 public:
  Planner(const Query& query, const PlanSettings& settings, FieldPaths extra)
      : query_(query),
        settings_(settings),
        extra_(std::move(extra)),
        plan_(std::make_unique<Plan>()),
        compiler_(query.text, settings.now_seconds, [this](const Query& inner) { return subquery(inner); }) {}

  Parsed<std::unique_ptr<Plan>> whole() {
    plan_->source = query_.source;
    for (at_ = 0; at_ < query_.commands.size(); ++at_) {
      if (auto taken = take(query_.commands[at_]); !taken) return taken.error();
    }
    if (auto taken = finish(); !taken) return taken.error();
    return std::move(plan_);
  }

 private:
  Parsed<Done> take(const Command& command) {
    if (limit_ && sees_limit(command)) {
      if (auto taken = break_off(); !taken) return taken;
    }
    return std::visit([this](const auto& what) { return take(what); }, command.what);
  }

  Parsed<Done> take(const Fields& fields) {
    for (const auto& column : fields.columns) {
      if (auto taken = define(column); !taken) return taken;
      show(fields_, column.name);
    }
    fields_given_ = true;
    return Done{};
  }

  Parsed<Done> take(const Display& display) {
    display_.clear();
    for (const auto& column : display.columns) {
      if (auto taken = define(column); !taken) return taken;
      show(display_, column.name);
    }
    return Done{};
  }

  Parsed<Done> take(const Filter& filter) {
    auto condition = compiler_.compile(filter.condition, scope_);
    if (!condition) return condition.error();
    if (reading_events() && !unnested_) Compiler::add_hints(filter.condition, scope_, plan_->hints);
    segment_.steps.push_back(FilterStep{std::move(*condition)});
    return Done{};
  }

  Parsed<Done> take(const ParseGlob& parse) {
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

  Parsed<Done> take(const ParseRegex& parse) {
    auto input = compiler_.compile(parse.input, scope_);
    if (!input) return input.error();
    auto expression = compile_regex(parse.pattern);
    if (!expression) return compiler_.wrong(place(), expression.error().message);
    RegexStep step{std::move(*input), std::move(*expression), TextFinder(required_text(parse.pattern)), {}, {}};
    const auto groups = step.expression->NumberOfCapturingGroups();
    if (!parse.names.empty() && static_cast<int>(parse.names.size()) != groups) {
      return compiler_.wrong(place(), fmt::format("a name for each group is expected: {} groups and {} names", groups,
                                                  parse.names.size()));
    }
    for (std::size_t i = 0; i < parse.names.size(); ++i) {
      step.groups.push_back(static_cast<int>(i) + 1);
      step.places.push_back(parsed(parse.names[i]));
    }
    if (parse.names.empty()) {
      for (const auto& [group, name] : step.expression->CapturingGroupNames()) {
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

  Parsed<Done> take(const Unnest& unnest) {
    auto list = compiler_.compile(unnest.list, scope_);
    if (!list) return list.error();
    segment_.steps.push_back(UnnestStep{std::move(*list), parsed(unnest.name)});
    unnested_ = true;
    return Done{};
  }

  Parsed<Done> take(const Sort& sort) {
    sort_.clear();
    for (const auto& key : sort.keys) {
      auto value = compiler_.compile(key.expression, scope_);
      if (!value) return value.error();
      sort_.push_back({std::move(*value), key.descending});
    }
    return Done{};
  }

  Parsed<Done> take(const Limit& limit) {
    limit_ = std::min(limit_.value_or(kMostRows), limit.rows);
    return Done{};
  }

  Parsed<Done> take(const Dedup& dedup) {
    for (const auto& key : dedup.keys) {
      auto value = compiler_.compile(key, scope_);
      if (!value) return value.error();
      dedup_.push_back(std::move(*value));
    }
    return Done{};
  }

  Parsed<Done> take(const Unmask&) { return Done{}; }

  Parsed<Done> take(const Stats& stats);
  Parsed<Done> add_aggregates(const Expression& expression, GroupsSpec& groups);
  Parsed<Done> take(const Pattern& pattern);
  Parsed<Done> take(const Join& join);
  Parsed<Done> take(const Diff& diff);

  // A column that is more than a field by its own name gets a register of its own.
  Parsed<Done> define(const Named& column) {
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
  std::size_t parsed(const std::string& name) {
    show(made_, name);
    return scope_.define(name, "", false, Precision::kStored).place;
  }

  static void show(std::vector<std::string>& list, const std::string& name) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  }

  bool reading_events() const { return scope_.kind() == Scope::Kind::kOpen; }
  Place place() const { return query_.commands[at_].place; }

  std::vector<std::string> shown_names() const {
    if (!display_.empty()) return display_;
    auto names = fields_;
    if (!fields_given_) names = base_;
    for (const auto& name : made_) show(names, name);
    return names;
  }

  NodePtr timestamp() {
    const auto found = scope_.find({"@timestamp"});
    return found ? field_node(found->column.place, found->column.time, Precision::kStored) : nullptr;
  }

  // The rows so far as a table, in their order; `needed` are the columns that later commands ask for.
  Parsed<Done> end_rows(const std::vector<std::string>& names, const FieldPaths& needed, std::size_t limit) {
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
  FieldPaths needed_later(std::size_t from) const {
    FieldPaths paths = extra_;
    for (std::size_t i = from; i < query_.commands.size(); ++i) collect_fields(query_.commands[i], paths);
    return paths;
  }

  Parsed<Done> break_off() {
    auto needed = needed_later(at_);
    if (reading_events()) {
      needed.insert({"@timestamp"});
      needed.insert({"@ptr"});
      raw_ = true;
    }
    return end_rows(shown_names(), needed, limit_.value_or(kMostRows));
  }

  // Closes the segment; its outputs are the columns of the scope after.
  Parsed<Done> end_segment() {
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
  void open_table(const std::vector<ColumnInfo>& columns) {
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
  void show_anew(std::vector<std::string> names) {
    base_ = std::move(names);
    fields_.clear();
    display_.clear();
    made_.clear();
    fields_given_ = false;
    raw_ = false;
  }

  Parsed<Done> finish() {
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

  Parsed<std::shared_ptr<const ValueSet>> subquery(const Query& inner) {
    auto plan = Planner(inner, {settings_.now_seconds, kMostInnerRows}, {}).whole();
    if (!plan) return plan.error();
    auto values = std::make_shared<ValueSet>();
    plan_->before.push_back({std::move(*plan), values});
    return std::shared_ptr<const ValueSet>(values);
  }

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
  auto right = Planner(*join.right, {settings_.now_seconds, kMostInnerRows}, right_fields).whole();
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
  if (last == nullptr) return compiler_.wrong(place(), "the other side of a join cannot end in diff");
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

}  // namespace

Parsed<std::unique_ptr<Plan>> make_plan(const Query& query, const PlanSettings& settings) {
  return Planner(query, settings, {}).whole();
}

}  // namespace securebase::logs::insights
