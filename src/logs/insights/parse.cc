#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "logs/insights/functions.h"
#include "logs/insights/parser.h"

namespace securebase::logs::insights {

namespace {

constexpr std::array<std::string_view, 19> kCommands = {
    "fields", "display", "filter",  "filterindex", "parse", "stats",  "sort",   "limit",  "head",     "tail",
    "dedup",  "unnest",  "pattern", "diff",        "join",  "source", "unmask", "lookup", "addtotals"};

// What the original has and this does not: named, so that nobody searches for a misspelling.
constexpr std::array<std::string_view, 1> kNotDone = {"anomaly"};

template <class T>
bool is(const Command& command) {
  return std::holds_alternative<T>(command.what);
}

// The first call of an aggregate in an expression; null: none.
const Expression* find_aggregate(const Expression& expression) {
  if (expression.kind == Expression::Kind::kCall && is_aggregate(find_function(expression.text)->function)) {
    return &expression;
  }
  for (const auto& child : expression.children) {
    if (const auto* found = find_aggregate(child)) return found;
  }
  return nullptr;
}

// Whether an expression has fields, and all of them are columns that are given.
bool uses_only(const Expression& expression, std::span<const Named> columns) {
  if (expression.kind == Expression::Kind::kField) {
    return std::any_of(columns.begin(), columns.end(),
                       [name = expression.field_name()](const Named& column) { return column.name == name; });
  }
  bool any = false;
  for (const auto& child : expression.children) {
    const bool constant = child.children.empty() && child.kind != Expression::Kind::kField;
    if (constant) continue;
    if (!uses_only(child, columns)) return false;
    any = true;
  }
  return any;
}

}  // namespace

Parsed<Query> parse_query(std::string_view text, const ParseLimits& limits) { return Parser(text, limits).whole(); }

Parsed<Query> Parser::whole() {
  if (lexer_.text().size() > limits_.bytes) {
    return wrong(
        {limits_.bytes, lexer_.text().size()},
        fmt::format("a query has at most {} characters, this one has {}", limits_.bytes, lexer_.text().size()));
  }
  if (auto taken = advance(); !taken) return taken.error();
  auto made = query(Where::kOutside);
  if (made) made->text = lexer_.text();
  return made;
}

bool Parser::ends(Where where) const {
  return token_.kind == Token::Kind::kEnd || (where == Where::kInsideParentheses && is_sign(")"));
}

Parsed<Query> Parser::query(Where where) {
  Query made;
  if (ends(where)) return unexpected("a command such as fields, filter, parse, stats, sort or limit");
  while (true) {
    if (auto taken = command(made); !taken) return taken.error();
    if (ends(where)) return made;
    if (!is_sign("|")) {
      return unexpected(where == Where::kOutside ? "'|' and the next command, or the end of the query"
                                                 : "'|' and the next command, or ')'");
    }
    if (auto taken = advance(); !taken) return taken.error();
    if (made.commands.size() >= limits_.commands) {
      return wrong(token_.place, fmt::format("a query has at most {} commands", limits_.commands));
    }
  }
}

Parsed<Done> Parser::command(Query& query) {
  const Token name = token_;
  if (name.kind != Token::Kind::kWord) return unexpected("the name of a command");
  const std::string word = lower_case(name.text);
  if (auto taken = advance(); !taken) return taken;
  if (word == "source") {
    if (query.source || !query.commands.empty()) return wrong(name.place, "SOURCE is the first command of a query");
    auto given = source();
    if (!given) return given.error();
    query.source = std::move(*given);
    return Done{};
  }
  Parsed<Command> made = Command{Unmask{}, {}};
  if (word == "fields" || word == "display") {
    auto listed = columns(word);
    if (!listed) return listed.error();
    if (word == "fields") {
      made = Command{Fields{std::move(*listed)}, {}};
    } else {
      made = Command{Display{std::move(*listed)}, {}};
    }
  } else if (word == "filter" || word == "filterindex") {
    made = filter();
  } else if (word == "parse") {
    made = parse();
  } else if (word == "stats") {
    made = stats();
  } else if (word == "sort") {
    made = sort();
  } else if (word == "limit" || word == "head" || word == "tail") {
    made = limit(word);
  } else if (word == "dedup") {
    made = dedup();
  } else if (word == "unnest") {
    made = unnest();
  } else if (word == "pattern") {
    auto input = expression();
    if (!input) return input.error();
    made = Command{Pattern{std::move(*input)}, {}};
  } else if (word == "diff") {
    made = diff();
  } else if (word == "join") {
    made = join();
  } else if (word == "lookup") {
    made = lookup();
  } else if (word == "addtotals") {
    made = add_totals();
  } else if (word == "unmask") {
    auto listed = columns(word);
    if (!listed) return listed.error();
  } else if (std::find(kNotDone.begin(), kNotDone.end(), word) != kNotDone.end()) {
    return wrong(name.place, fmt::format("the command {} is not done by SecureBase", word));
  } else {
    const auto meant = nearest(word, kCommands);
    return wrong(name.place, meant.empty()
                                 ? fmt::format("there is no command \"{}\"", name.text)
                                 : fmt::format("there is no command \"{}\"; did you mean {}?", name.text, meant));
  }
  if (!made) return made.error();
  made->place = {name.place.begin, end_};
  if (auto fits = check_order(query, *made); !fits) return fits;
  query.commands.push_back(std::move(*made));
  return Done{};
}

// What may follow what. Aggregates outside stats can only name a column that a stats before them has made.
Parsed<Done> Parser::check_order(const Query& query, const Command& command) const {
  const auto count = [&query](auto matches) {
    return std::count_if(query.commands.begin(), query.commands.end(), matches);
  };
  if (count(is<Dedup>) > 0 && !is<Limit>(command)) {
    return wrong(command.place, "after dedup only limit may follow");
  }
  if (is<Stats>(command) && count(is<Stats>) == 2) {
    return wrong(command.place, "a query has at most two stats");
  }
  if (is<Stats>(command) && count(is<Stats>) == 1) {
    const auto first = std::find_if(query.commands.begin(), query.commands.end(), is<Stats>);
    const auto early =
        std::find_if(first, query.commands.end(), [](const Command& one) { return is<Sort>(one) || is<Limit>(one); });
    if (early != query.commands.end()) {
      return wrong(early->place, "with two stats, sort and limit come after the second");
    }
  }
  if (is<Diff>(command)) {
    if (count(is<Pattern>) + count(is<Stats>) == 0) {
      return wrong(command.place, "diff compares what pattern or stats have made: one of them comes before it");
    }
    if (count(is<Diff>) > 0) return wrong(command.place, "a query has one diff");
  }
  if (is<Join>(command) && count(is<Join>) > 0) return wrong(command.place, "a query has one join");
  if (is<Pattern>(command) && count(is<Pattern>) > 0) return wrong(command.place, "a query has one pattern");
  if (is<Stats>(command) || count(is<Stats>) > 0) return Done{};
  const Expression* found = nullptr;
  const auto look = [&found](const Expression& expression) {
    if (found == nullptr) found = find_aggregate(expression);
  };
  if (const auto* one = std::get_if<Fields>(&command.what)) {
    for (const auto& column : one->columns) look(column.expression);
  } else if (const auto* one = std::get_if<Filter>(&command.what)) {
    look(one->condition);
  } else if (const auto* one = std::get_if<Sort>(&command.what)) {
    for (const auto& key : one->keys) look(key.expression);
  }
  if (found == nullptr) return Done{};
  return wrong(found->place, fmt::format("{} is of many events, so only stats can have it", found->text));
}

Parsed<std::vector<Named>> Parser::columns(std::string_view of) {
  std::vector<Named> made;
  if (token_.kind == Token::Kind::kEnd || is_sign("|")) return unexpected(fmt::format("a field after \"{}\"", of));
  while (true) {
    auto one = column();
    if (!one) return one.error();
    made.push_back(std::move(*one));
    if (made.size() > limits_.elements) return wrong(token_.place, "too many columns");
    if (!is_sign(",")) return made;
    if (auto taken = advance(); !taken) return taken.error();
  }
}

Parsed<Named> Parser::column() {
  auto made = expression();
  if (!made) return made.error();
  Named named;
  named.name = made->kind == Expression::Kind::kField
                   ? made->field_name()
                   : std::string(lexer_.text().substr(made->place.begin, made->place.end - made->place.begin));
  named.expression = std::move(*made);
  if (!is_word("as")) return named;
  if (auto taken = advance(); !taken) return taken.error();
  auto alias = name("a name after \"as\"");
  if (!alias) return alias.error();
  named.name = std::move(*alias);
  named.aliased = true;
  return named;
}

Parsed<Command> Parser::filter() {
  auto condition = expression();
  if (!condition) return condition.error();
  if (condition->kind == Expression::Kind::kText || condition->kind == Expression::Kind::kNumber) {
    return wrong(condition->place, "expected a condition, such as level = \"ERROR\" or @message like \"timeout\"");
  }
  return Command{Filter{std::move(*condition)}, {}};
}

// parse [field] "glob" as a, b  |  parse [field] /(?<a>..)/ [as a, b]
Parsed<Command> Parser::parse() {
  Expression input;
  input.kind = Expression::Kind::kField;
  input.segments = {"@message"};
  input.place = token_.place;
  if (token_.kind != Token::Kind::kText && !Lexer::begins_regex(token_)) {
    // Not an expression: in `parse f /re/` the slash does not divide.
    auto given = primary();
    if (!given) return given.error();
    input = std::move(*given);
  }
  if (Lexer::begins_regex(token_)) {
    auto found = lexer_.regex(token_);
    if (!found) return found.error();
    ParseRegex made{std::move(input), found->text, {}};
    if (auto taken = advance(); !taken) return taken.error();
    if (auto taken = parsed_names(made.names); !taken) return taken.error();
    return Command{std::move(made), {}};
  }
  if (token_.kind != Token::Kind::kText) return unexpected("a \"glob * text\" or a /regular expression/");
  ParseGlob made{std::move(input), token_.text, {}};
  const auto place = token_.place;
  if (auto taken = advance(); !taken) return taken.error();
  if (auto taken = parsed_names(made.names); !taken) return taken.error();
  const auto stars = static_cast<std::size_t>(std::count(made.glob.begin(), made.glob.end(), '*'));
  if (stars == 0 || stars != made.names.size()) {
    return wrong({place.begin, end_},
                 fmt::format("a name for each * is expected: {} of * and {} names", stars, made.names.size()));
  }
  return Command{std::move(made), {}};
}

Parsed<Done> Parser::parsed_names(std::vector<std::string>& names) {
  if (!is_word("as")) return Done{};
  do {
    if (auto taken = advance(); !taken) return taken;
    auto one = name("a name for what was parsed");
    if (!one) return one.error();
    names.push_back(std::move(*one));
    if (names.size() > 100) return wrong(token_.place, "at most 100 names");
  } while (is_sign(","));
  return Done{};
}

Parsed<Command> Parser::stats() {
  Stats made;
  auto values = columns("stats");
  if (!values) return values.error();
  made.values = std::move(*values);
  for (std::size_t i = 0; i < made.values.size(); ++i) {
    const auto& value = made.values[i];
    if (find_aggregate(value.expression) != nullptr) continue;
    // A value may be made of those before it: max(a) as most, min(a) as least, most - least as range.
    if (uses_only(value.expression, {made.values.data(), i})) continue;
    return wrong(value.expression.place, "expected an aggregate, such as count(*), sum(f), avg(f) or pct(f, 95)");
  }
  if (is_word("by")) {
    if (auto taken = advance(); !taken) return taken.error();
    auto keys = columns("by");
    if (!keys) return keys.error();
    made.by = std::move(*keys);
    for (const auto& key : made.by) {
      if (const auto* found = find_aggregate(key.expression)) {
        return wrong(found->place, fmt::format("{} is of many events: it cannot stand behind \"by\"", found->text));
      }
    }
  }
  return Command{std::move(made), {}};
}

Parsed<Command> Parser::sort() {
  Sort made;
  if (is_word("by")) {  // as older examples have it
    if (auto taken = advance(); !taken) return taken.error();
  }
  while (true) {
    auto key = expression();
    if (!key) return key.error();
    const bool descending = is_word("desc");
    if (descending || is_word("asc")) {
      if (auto taken = advance(); !taken) return taken.error();
    }
    made.keys.push_back({std::move(*key), descending});
    if (made.keys.size() > 100) return wrong(token_.place, "at most 100 sort keys");
    if (!is_sign(",")) return Command{std::move(made), {}};
    if (auto taken = advance(); !taken) return taken.error();
  }
}

Parsed<Command> Parser::limit(std::string_view word) {
  const double rows = token_.number;
  if (token_.kind != Token::Kind::kNumber || rows < 1 || rows > kMostRows || rows != static_cast<std::size_t>(rows)) {
    return unexpected(fmt::format("a number of rows from 1 to {} after \"{}\"", kMostRows, word));
  }
  if (auto taken = advance(); !taken) return taken.error();
  return Command{Limit{static_cast<std::size_t>(rows)}, {}};
}

Parsed<Command> Parser::dedup() {
  auto listed = columns("dedup");
  if (!listed) return listed.error();
  Dedup made;
  for (auto& one : *listed) made.keys.push_back(std::move(one.expression));
  return Command{std::move(made), {}};
}

Parsed<Command> Parser::unnest() {
  Unnest made;
  auto list = expression();
  if (!list) return list.error();
  made.list = std::move(*list);
  if (!is_word("into")) return unexpected("\"into\" and a name");
  if (auto taken = advance(); !taken) return taken.error();
  auto into = name("a name after \"into\"");
  if (!into) return into.error();
  made.name = std::move(*into);
  return Command{std::move(made), {}};
}

Parsed<Command> Parser::diff() {
  Diff made;
  if (token_.kind != Token::Kind::kWord) return Command{made, {}};
  if (is_word("previousday")) {
    made.against = Diff::Against::kDay;
  } else if (is_word("previousweek")) {
    made.against = Diff::Against::kWeek;
  } else if (is_word("previousmonth")) {
    made.against = Diff::Against::kMonth;
  } else {
    return unexpected("previousDay, previousWeek, previousMonth, or nothing, after \"diff\"");
  }
  if (auto taken = advance(); !taken) return taken.error();
  return Command{made, {}};
}

}  // namespace securebase::logs::insights
