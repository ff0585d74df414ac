#include "logs/insights/compile.h"

#include <fmt/format.h>

#include <cmath>

#include "logs/insights/regex.h"

namespace securebase::logs::insights {

namespace {

// A longer expression is not looked up by its canonical form: nobody writes it twice.
constexpr std::size_t kLongestName = 500;

bool is_comparison(Operator op) { return op >= Operator::kEqual && op <= Operator::kGreaterOrEqual; }

NodePtr boolean_in(NodePtr input, bool value, bool negated, Scope& scope) {
  auto values = std::make_shared<ValueSet>();
  values->texts.insert(value ? "true" : "false");
  values->numbers.insert(value ? 1 : 0);
  return in_node(std::move(input), std::move(values), negated, scope.new_scratch());
}

}  // namespace

Parsed<NodePtr> Compiler::compile(const Expression& expression, Scope& scope) {
  using Kind = Expression::Kind;
  const bool nameable = expression.kind == Kind::kCall || expression.kind == Kind::kBinary;
  if (nameable && scope.has_canonical() && expression.place.end - expression.place.begin < kLongestName) {
    if (const auto column = scope.find_canonical(expression.canonical())) {
      return field_node(column->place, column->time, column->precision);
    }
  }
  switch (expression.kind) {
    case Kind::kField:
      return field(expression, scope);
    case Kind::kNumber:
    case Kind::kBoolean:
      return constant_node(Cell::of(expression.number), scope.new_scratch());
    case Kind::kText:
      return constant_node(Cell::of(std::string_view(expression.text)), scope.new_scratch());
    case Kind::kPeriod:
      return wrong(expression.place, "a period stands in bin(), datefloor() and dateceil() only");
    case Kind::kCall:
      return call(expression, scope);
    case Kind::kBinary:
      return binary(expression, scope);
    case Kind::kIn:
    case Kind::kInSubquery:
      return in(expression, scope);
    default:
      break;
  }
  auto inner = compile(expression.children[0], scope);
  if (!inner) return inner;
  const auto scratch = scope.new_scratch();
  if (expression.kind == Kind::kNot) return not_node(std::move(*inner), scratch);
  if (expression.kind == Kind::kContains) {
    return contains_node(std::move(*inner), expression.text, expression.negated, scratch);
  }
  if (expression.kind == Kind::kMatches) {
    auto made = matches_node(std::move(*inner), expression.text, expression.negated, scratch);
    if (!made) return wrong(expression.place, made.error().message);
    return std::move(*made);
  }
  if (expression.children[0].kind == Kind::kNumber) {
    return constant_node(Cell::of(-expression.children[0].number), scratch);
  }
  return arithmetic_node(Operator::kSubtract, constant_node(Cell::of(0.0), scope.new_scratch()), std::move(*inner),
                         scratch);
}

Parsed<NodePtr> Compiler::field(const Expression& expression, Scope& scope) {
  const auto found = scope.find(expression.segments);
  if (!found) return constant_node(Cell{}, scope.new_scratch());
  auto made = field_node(found->column.place, found->column.time, found->column.precision);
  if (found->path.empty()) return made;
  return json_path_node(std::move(made), found->path, scope.new_scratch());
}

Parsed<NodePtr> Compiler::binary(const Expression& expression, Scope& scope) {
  auto left = compile(expression.children[0], scope);
  if (!left) return left;
  const auto& right_side = expression.children[1];
  const bool equality = expression.op == Operator::kEqual || expression.op == Operator::kNotEqual;
  if (equality && right_side.kind == Expression::Kind::kBoolean) {
    return boolean_in(std::move(*left), right_side.number != 0, expression.op == Operator::kNotEqual, scope);
  }
  auto right = compile(right_side, scope);
  if (!right) return right;
  const auto scratch = scope.new_scratch();
  if (expression.op == Operator::kAnd || expression.op == Operator::kOr) {
    return logic_node(expression.op, std::move(*left), std::move(*right), scratch);
  }
  if (is_comparison(expression.op)) {
    return compare_node(expression.op, std::move(*left), std::move(*right), scratch);
  }
  return arithmetic_node(expression.op, std::move(*left), std::move(*right), scratch);
}

Parsed<NodePtr> Compiler::in(const Expression& expression, Scope& scope) {
  auto input = compile(expression.children[0], scope);
  if (!input) return input;
  std::shared_ptr<const ValueSet> values;
  if (expression.kind == Expression::Kind::kInSubquery) {
    auto planned = subqueries_(*expression.subquery);
    if (!planned) return planned.error();
    values = std::move(*planned);
  } else {
    auto listed = std::make_shared<ValueSet>();
    for (std::size_t i = 1; i < expression.children.size(); ++i) {
      const auto& one = expression.children[i];
      listed->add(one.kind == Expression::Kind::kText ? Cell::of(std::string_view(one.text)) : Cell::of(one.number));
      if (one.kind == Expression::Kind::kBoolean) listed->texts.insert(one.number != 0 ? "true" : "false");
    }
    values = std::move(listed);
  }
  return in_node(std::move(*input), std::move(values), expression.negated, scope.new_scratch());
}

Parsed<NodePtr> Compiler::call(const Expression& expression, Scope& scope) {
  const auto& signature = *find_function(expression.text);
  if (is_aggregate(signature.function)) {
    return wrong(expression.place,
                 fmt::format("no stats before this has made {}: give it a name there and use the name",
                             text_.substr(expression.place.begin, expression.place.end - expression.place.begin)));
  }
  if (signature.function == Function::kNow) {
    return constant_node(Cell::of(now_seconds_), scope.new_scratch());
  }
  std::vector<NodePtr> arguments;
  Period period;
  if (signature.function == Function::kBin) {
    Expression timestamp;
    timestamp.kind = Expression::Kind::kField;
    timestamp.segments = {"@timestamp"};
    auto made = field(timestamp, scope);
    if (!made) return made;
    arguments.push_back(std::move(*made));
  }
  for (const auto& child : expression.children) {
    if (child.kind == Expression::Kind::kPeriod) {
      period = child.period;
      continue;
    }
    auto made = compile(child, scope);
    if (!made) return made;
    arguments.push_back(std::move(*made));
  }
  return call_node(signature.function, std::move(arguments), period, scope.new_scratch());
}

void Compiler::add_hints(const Expression& condition, Scope& scope, Scan& hints) {
  using Kind = Expression::Kind;
  const auto discovered = [&scope](const Expression& side) -> std::optional<std::string> {
    if (side.kind != Kind::kField) return std::nullopt;
    const auto found = scope.find(side.segments);
    if (!found || !found->discovered) return std::nullopt;
    return found->column.name;
  };
  const auto& first = condition.children.empty() ? condition : condition.children[0];
  switch (condition.kind) {
    case Kind::kBinary: {
      if (condition.op == Operator::kAnd) {
        add_hints(condition.children[0], scope, hints);
        add_hints(condition.children[1], scope, hints);
        return;
      }
      if (!is_comparison(condition.op) || condition.op == Operator::kNotEqual) return;
      for (const auto& side : condition.children) {
        if (const auto name = discovered(side)) hints.present.push_back(*name);
      }
      const auto& second = condition.children[1];
      const auto name = discovered(first);
      // Numbers are equal in more than one spelling, so only words are a hint.
      if (condition.op == Operator::kEqual && name && second.kind == Kind::kText && !number_of(second.text)) {
        hints.equal.push_back({*name, second.text});
      }
      return;
    }
    case Kind::kContains:
    case Kind::kMatches: {
      const auto name = discovered(first);
      if (condition.negated || !name) return;
      hints.present.push_back(*name);
      if (*name != "@message") return;
      const auto text = condition.kind == Kind::kContains ? condition.text : required_text(condition.text);
      if (!text.empty()) hints.message_contains.push_back(text);
      return;
    }
    case Kind::kIn:
    case Kind::kInSubquery:
      if (const auto name = discovered(first); name && !condition.negated) hints.present.push_back(*name);
      return;
    case Kind::kCall:
      if (condition.text == "ispresent") {
        if (const auto name = discovered(first)) hints.present.push_back(*name);
      }
      return;
    default:
      return;
  }
}

}  // namespace securebase::logs::insights
