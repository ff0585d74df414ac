#include <fmt/format.h>

#include "logs/insights/parser.h"

namespace securebase::logs::insights {

// SOURCE 'a', 'b' | SOURCE logGroups(namePrefix: ['p', ...])
Parsed<SourceOf> Parser::source() {
  SourceOf made;
  if (is_word("loggroups")) {
    if (auto taken = prefixes(made); !taken) return taken.error();
    return made;
  }
  while (true) {
    if (token_.kind != Token::Kind::kText) return unexpected("the name of a log group in quotes");
    made.groups.push_back(token_.text);
    if (made.groups.size() > 50) return wrong(token_.place, "at most 50 log groups");
    if (auto taken = advance(); !taken) return taken.error();
    if (!is_sign(",")) return made;
    if (auto taken = advance(); !taken) return taken.error();
  }
}

Parsed<Done> Parser::prefixes(SourceOf& source) {
  if (auto taken = advance(); !taken) return taken;
  if (auto taken = expect_sign("(", "after logGroups"); !taken) return taken;
  if (!is_word("nameprefix")) return unexpected("namePrefix: ['...']");
  if (auto taken = advance(); !taken) return taken;
  if (auto taken = expect_sign(":", "after namePrefix"); !taken) return taken;
  if (auto taken = expect_sign("[", "before the prefixes"); !taken) return taken;
  while (token_.kind == Token::Kind::kText) {
    source.prefixes.push_back(token_.text);
    if (source.prefixes.size() > 5) return wrong(token_.place, "at most five prefixes");
    if (auto taken = advance(); !taken) return taken;
    if (!is_sign(",")) break;
    if (auto taken = advance(); !taken) return taken;
  }
  if (source.prefixes.empty()) return unexpected("a prefix in quotes");
  if (auto taken = expect_sign("]", "after the prefixes"); !taken) return taken;
  return expect_sign(")", "to close logGroups");
}

Parsed<std::string> Parser::option(std::string_view name_of_option) {
  if (!is_word(name_of_option)) return unexpected(fmt::format("{}=...", name_of_option));
  if (auto taken = advance(); !taken) return taken.error();
  if (auto taken = expect_sign("=", fmt::format("after {}", name_of_option)); !taken) return taken.error();
  return name("a name");
}

// join type=inner|left left=a right=b where a.k=b.k [and ...] (SOURCE 'g' | ...)
Parsed<Command> Parser::join() {
  Join made;
  if (is_word("type")) {
    const auto place = token_.place;
    auto type = option("type");
    if (!type) return type.error();
    made.left_outer = lower_case(*type) == "left";
    if (!made.left_outer && lower_case(*type) != "inner") {
      return wrong({place.begin, end_}, fmt::format("join has the types inner and left, not \"{}\"", *type));
    }
  }
  auto left = option("left");
  if (!left) return left.error();
  auto right = option("right");
  if (!right) return right.error();
  made.left_name = std::move(*left);
  made.right_name = std::move(*right);
  if (!is_word("where")) return unexpected("\"where\" and what is equal on both sides");
  do {
    if (auto taken = advance(); !taken) return taken.error();
    auto one = sum();
    if (!one) return one.error();
    if (auto taken = expect_sign("=", "between the fields of both sides"); !taken) return taken.error();
    auto other = right_field();
    if (!other) return other.error();
    const auto side_of = [](const Expression& side) {
      return side.kind == Expression::Kind::kField ? side.segments.front() : std::string();
    };
    if (side_of(*one) == made.right_name && side_of(*other) == made.left_name) std::swap(*one, *other);
    if (side_of(*one) != made.left_name || side_of(*other) != made.right_name) {
      return wrong({one->place.begin, other->place.end},
                   fmt::format("expected {}.field = {}.field", made.left_name, made.right_name));
    }
    made.equal.emplace_back(std::move(*one), std::move(*other));
  } while (is_word("and") && made.equal.size() < 20);
  if (!is_sign("(")) return unexpected("the other side in parentheses: (SOURCE '...' | ...)");
  auto inner = subquery();
  if (!inner) return inner.error();
  made.right = std::move(*inner);
  return Command{std::move(made), {}};
}

// "(" is the token.
Parsed<std::shared_ptr<const Query>> Parser::subquery() {
  if (in_subquery_) return wrong(token_.place, "subqueries are not nested");
  const Deeper deeper(depth_);
  in_subquery_ = true;
  const auto begin = token_.place.begin;
  if (auto taken = advance(); !taken) return taken.error();
  if (token_.kind != Token::Kind::kWord) {
    return unexpected("SOURCE 'log group', which begins a subquery; values stand in brackets, as in [1, 2]");
  }
  auto made = query(Where::kInsideParentheses);
  if (!made) return made.error();
  in_subquery_ = false;
  if (auto taken = expect_sign(")", "to close the subquery"); !taken) return taken.error();
  made->text = lexer_.text();  // whole, so that places stay true
  if (!made->source) return wrong({begin, end_}, "a subquery begins with SOURCE 'log group'");
  return std::make_shared<const Query>(std::move(*made));
}

namespace {

constexpr std::size_t kMostLookupColumns = 100;

}  // namespace

Parsed<Expression> Parser::plain_field() {
  if (token_.kind != Token::Kind::kWord && token_.kind != Token::Kind::kQuotedName) return unexpected("a field");
  auto made = field();
  if (made && made->kind != Expression::Kind::kField) return wrong(made->place, "expected a field, not an expression");
  return made;
}

// lookup table column as field [, column as field] OUTPUT column [, column]
Parsed<Command> Parser::lookup() {
  Lookup made;
  made.table_place = token_.place;
  auto table = name("the name of a lookup table");
  if (!table) return table.error();
  made.table = std::move(*table);
  for (;;) {
    auto column = name("a column of the lookup table");
    if (!column) return column.error();
    if (!is_word("as")) return unexpected("\"as\" and a field of the events");
    if (auto taken = advance(); !taken) return taken.error();
    auto equal = plain_field();
    if (!equal) return equal.error();
    made.keys.emplace_back(std::move(*column), std::move(*equal));
    if (made.keys.size() > kMostLookupColumns) return wrong(token_.place, "too many columns");
    if (!is_sign(",")) break;
    if (auto taken = advance(); !taken) return taken.error();
  }
  if (!is_word("output")) return unexpected("\"OUTPUT\" and columns of the lookup table");
  do {
    if (auto taken = advance(); !taken) return taken.error();
    auto column = name("a column of the lookup table");
    if (!column) return column.error();
    made.outputs.push_back(std::move(*column));
    if (made.outputs.size() > kMostLookupColumns) return wrong(token_.place, "too many columns");
  } while (is_sign(","));
  return Command{std::move(made), {}};
}

// Whether the token is an option's name, and not a field that is called so.
bool Parser::is_option(std::string_view option_name) const {
  if (!is_word(option_name)) return false;
  const auto text = lexer_.text();
  const auto next = text.find_first_not_of(" \t\r\n", token_.place.end);
  return next != std::string_view::npos && text[next] == '=';
}

Parsed<bool> Parser::truth(std::string_view of) {
  const auto place = token_.place;
  auto word = option(of);
  if (!word) return word.error();
  const auto said = lower_case(*word);
  if (said != "true" && said != "false") {
    return wrong({place.begin, end_}, fmt::format("{} is true or false, not \"{}\"", of, *word));
  }
  return said == "true";
}

// addtotals [fieldname=Name] [row=bool] [col=bool] [field, ...]
Parsed<Command> Parser::add_totals() {
  AddTotals made;
  for (;;) {
    if (is_option("fieldname")) {
      auto given = option("fieldname");
      if (!given) return given.error();
      made.name = std::move(*given);
    } else if (is_option("row")) {
      auto given = truth("row");
      if (!given) return given.error();
      made.rows = *given;
    } else if (is_option("col")) {
      auto given = truth("col");
      if (!given) return given.error();
      made.columns = *given;
    } else {
      break;
    }
  }
  if (token_.kind == Token::Kind::kEnd || is_sign("|") || is_sign(")")) return Command{std::move(made), {}};
  for (;;) {
    auto one = plain_field();
    if (!one) return one.error();
    made.fields.push_back(std::move(*one));
    if (made.fields.size() > limits_.elements) return wrong(token_.place, "too many fields");
    if (!is_sign(",")) return Command{std::move(made), {}};
    if (auto taken = advance(); !taken) return taken.error();
  }
}

}  // namespace securebase::logs::insights
