#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "logs/patterns/node.h"

namespace securebase::logs {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Takes a pattern from its front.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  std::size_t at() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  void advance(std::size_t count = 1) { at_ = std::min(at_ + count, text_.size()); }
  bool take(std::string_view token) {
    skip_blanks();
    if (!rest().starts_with(token)) return false;
    advance(token.size());
    return true;
  }
  // A word of a fixed spelling, whatever its case, that ends here.
  bool take_keyword(std::string_view word) {
    skip_blanks();
    const auto there = rest().substr(0, word.size());
    if (there.size() != word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if ((there[i] & ~0x20) != word[i]) return false;
    }
    if (at_ + word.size() < text_.size()) {
      const char next = text_[at_ + word.size()];
      if (!is_blank(next) && next != ')' && next != '}' && next != '&' && next != '|') return false;
    }
    advance(word.size());
    return true;
  }
  Error wrong(std::string_view expected) const {
    return {Errc::kMalformed, fmt::format("Invalid filter pattern: {} is expected at character {}{}", expected, at_,
                                          at_end() ? ", where it ends" : fmt::format(", not '{}'", text_[at_]))};
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<double> whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || (text.front() != '-' && text.front() != '.' && (text.front() < '0' || text.front() > '9'))) {
    return std::nullopt;
  }
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

// "..." with \" and \\ in it; the cursor is at the opening quote.
Result<std::string> take_quoted(Cursor& cursor) {
  std::string out;
  for (cursor.advance(); !cursor.at_end(); cursor.advance()) {
    char c = cursor.peek();
    if (c == '"') {
      cursor.advance();
      return out;
    }
    if (c == '\\') {
      cursor.advance();
      if (cursor.at_end()) break;
      c = cursor.peek();
      if (c != '"' && c != '\\') out += '\\';
    }
    out += c;
  }
  return cursor.wrong("a closing '\"'");
}

// %...%; the cursor is at the first one.
Result<std::shared_ptr<const RE2>> take_regex(Cursor& cursor) {
  cursor.advance();
  std::string text;
  for (;; cursor.advance()) {
    if (cursor.at_end()) return cursor.wrong("a closing '%'");
    if (cursor.peek() == '%') break;
    if (cursor.peek() == '\\' && cursor.rest().size() > 1 && cursor.rest()[1] == '%') cursor.advance();
    text += cursor.peek();
  }
  cursor.advance();
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  auto regex = std::make_shared<const RE2>(text, options);
  if (!regex->ok()) {
    return Error{Errc::kMalformed, fmt::format("Invalid filter pattern: %{}%: {}", text, regex->error())};
  }
  return regex;
}

// A value: quoted, a regular expression, or up to a blank or one of `ends`.
Result<Matcher> take_value(Cursor& cursor, std::string_view ends) {
  cursor.skip_blanks();
  Matcher matcher;
  if (cursor.peek() == '"') {
    auto text = take_quoted(cursor);
    if (!text) return text.error();
    matcher.text = std::move(*text);
    return matcher;
  }
  if (cursor.peek() == '%') {
    auto regex = take_regex(cursor);
    if (!regex) return regex.error();
    matcher.regex = std::move(*regex);
    return matcher;
  }
  while (!cursor.at_end() && !is_blank(cursor.peek()) && ends.find(cursor.peek()) == std::string_view::npos) {
    matcher.text += cursor.peek();
    cursor.advance();
  }
  if (matcher.text.empty()) return cursor.wrong("a value");
  matcher.number = whole_number(matcher.text);
  return matcher;
}

std::optional<Comparison> take_comparison(Cursor& cursor) {
  for (const auto& [token, comparison] : {std::pair<std::string_view, Comparison>{"!=", Comparison::kNotEqual},
                                          {">=", Comparison::kGreaterOrEqual},
                                          {"<=", Comparison::kLessOrEqual},
                                          {"=", Comparison::kEqual},
                                          {">", Comparison::kGreater},
                                          {"<", Comparison::kLess}}) {
    if (cursor.take(token)) return comparison;
  }
  return std::nullopt;
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '@' || c == '$' || c == ':' || c == '/' || static_cast<unsigned char>(c) >= 0x80;
}

Result<Selector> take_selector(Cursor& cursor) {
  cursor.skip_blanks();
  const auto begin = cursor.rest();
  if (cursor.peek() != '$') return cursor.wrong("a selector ($.field)");
  cursor.advance();
  Selector selector;
  while (selector.steps.size() < Pattern::kMostLevels) {
    Selector::Step step;
    if (cursor.peek() == '.') {
      cursor.advance();
      if (cursor.peek() == '*') {
        step.any = true;
        cursor.advance();
      } else if (cursor.peek() == '[') {
        continue;  // $.["a b"]
      } else {
        while (!cursor.at_end() && is_name(cursor.peek())) {
          step.member += cursor.peek();
          cursor.advance();
        }
        if (step.member.empty()) return cursor.wrong("a member's name");
      }
    } else if (cursor.peek() == '[') {
      cursor.advance();
      if (cursor.peek() == '*') {
        step.any = true;
        cursor.advance();
      } else if (cursor.peek() == '"') {
        auto name = take_quoted(cursor);
        if (!name) return name.error();
        step.member = std::move(*name);
      } else {
        std::size_t index = 0;
        const auto rest = cursor.rest();
        const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
        if (failure != std::errc{}) return cursor.wrong("an index, a name in quotes or *");
        cursor.advance(static_cast<std::size_t>(end - rest.data()));
        step.index = index;
      }
      if (cursor.peek() != ']') return cursor.wrong("']'");
      cursor.advance();
    } else {
      break;
    }
    selector.steps.push_back(std::move(step));
  }
  if (selector.steps.empty()) return cursor.wrong("a selector ($.field)");
  selector.text = std::string(begin.substr(0, begin.size() - cursor.rest().size()));
  return selector;
}

// Conditions with &&, || and parentheses; && binds more tightly. `Leaf` parses one comparison.
template <class Leaf>
class ConditionParser {
 public:
  ConditionParser(Cursor& cursor, Leaf leaf) : cursor_(cursor), leaf_(leaf) {}

  Result<Condition> any_of() { return joined(Condition::Kind::kOr, "||"); }

 private:
  Result<Condition> joined(Condition::Kind kind, std::string_view sign) {
    auto first = kind == Condition::Kind::kOr ? joined(Condition::Kind::kAnd, "&&") : one();
    if (!first) return first;
    Condition all;
    all.kind = kind;
    all.of.push_back(std::move(*first));
    while (cursor_.take(sign)) {
      auto next = kind == Condition::Kind::kOr ? joined(Condition::Kind::kAnd, "&&") : one();
      if (!next) return next;
      all.of.push_back(std::move(*next));
    }
    if (all.of.size() == 1) return Condition(std::move(all.of.front()));
    return all;
  }

  Result<Condition> one() {
    if (++conditions_ > Pattern::kMostConditions) return cursor_.wrong("the end, since there are too many conditions,");
    if (!cursor_.take("(")) return leaf_(cursor_);
    if (++level_ > Pattern::kMostLevels) return cursor_.wrong("fewer parentheses");
    auto inner = any_of();
    if (!inner) return inner;
    if (!cursor_.take(")")) return cursor_.wrong("')'");
    --level_;
    return inner;
  }

  Cursor& cursor_;
  Leaf leaf_;
  std::size_t level_ = 0;
  std::size_t conditions_ = 0;
};

Result<Condition> json_leaf(Cursor& cursor) {
  auto selector = take_selector(cursor);
  if (!selector) return selector.error();
  Condition condition;
  condition.selector = std::move(*selector);
  if (const auto comparison = take_comparison(cursor)) {
    condition.comparison = *comparison;
    auto value = take_value(cursor, "()&|}");
    if (!value) return value.error();
    condition.matcher = std::move(*value);
    return condition;
  }
  if (cursor.take_keyword("EXISTS")) {
    condition.comparison = Comparison::kExists;
  } else if (cursor.take_keyword("NOT") && cursor.take_keyword("EXISTS")) {
    condition.comparison = Comparison::kNotExists;
  } else if (cursor.take_keyword("IS")) {
    if (cursor.take_keyword("NULL")) {
      condition.comparison = Comparison::kIsNull;
    } else if (cursor.take_keyword("TRUE")) {
      condition.comparison = Comparison::kIsTrue;
    } else if (cursor.take_keyword("FALSE")) {
      condition.comparison = Comparison::kIsFalse;
    } else {
      return cursor.wrong("NULL, TRUE or FALSE");
    }
  } else {
    return cursor.wrong("=, !=, <, <=, >, >=, IS or NOT EXISTS");
  }
  return condition;
}

std::string take_name(Cursor& cursor) {
  std::string name;
  cursor.skip_blanks();
  while (!cursor.at_end() && (is_name(cursor.peek()) || cursor.peek() == '.')) {
    name += cursor.peek();
    cursor.advance();
  }
  return name;
}

Result<Condition> field_leaf(Cursor& cursor) {
  Condition condition;
  condition.field = take_name(cursor);
  if (condition.field.empty()) return cursor.wrong("a field's name");
  const auto comparison = take_comparison(cursor);
  if (!comparison) return cursor.wrong("=, !=, <, <=, > or >=");
  condition.comparison = *comparison;
  auto value = take_value(cursor, ",]()&|");
  if (!value) return value.error();
  condition.matcher = std::move(*value);
  return condition;
}

}  // namespace

std::optional<Selector> parse_selector(std::string_view text) {
  Cursor cursor(text);
  auto selector = take_selector(cursor);
  if (!selector || !cursor.at_end()) return std::nullopt;
  return std::move(*selector);
}

Result<Terms> parse_terms(std::string_view text) {
  Cursor cursor(text);
  Terms all;
  for (cursor.skip_blanks(); !cursor.at_end(); cursor.skip_blanks()) {
    if (all.terms.size() >= Pattern::kMostConditions) return cursor.wrong("the end, since there are too many terms,");
    Term term;
    if (cursor.peek() == '-') {
      term.kind = Term::Kind::kExcluded;
      cursor.advance();
    } else if (cursor.peek() == '?') {
      term.kind = Term::Kind::kOptional;
      cursor.advance();
    }
    auto value = take_value(cursor, "");
    if (!value) return value.error();
    term.matcher = std::move(*value);
    all.terms.push_back(std::move(term));
  }
  return all;
}

Result<Fields> parse_fields(std::string_view text) {
  Cursor cursor(text);
  if (!cursor.take("[")) return cursor.wrong("'['");
  Fields all;
  for (bool first = true;; first = false) {
    if (cursor.take("]")) break;
    if (!first && !cursor.take(",")) return cursor.wrong("',' or ']'");
    if (all.fields.size() >= Pattern::kMostConditions) return cursor.wrong("']', since there are too many fields,");
    FieldSpec spec;
    if (cursor.take("...")) {
      spec.ellipsis = true;
    } else {
      Cursor ahead = cursor;
      spec.name = take_name(ahead);
      ahead.skip_blanks();
      if (spec.name.empty() && ahead.peek() != '(') return ahead.wrong("a field's name");
      if (ahead.peek() == ',' || ahead.peek() == ']') {
        cursor = ahead;
      } else {
        ConditionParser parser(cursor, &field_leaf);
        auto condition = parser.any_of();
        if (!condition) return condition.error();
        if (spec.name.empty()) {
          const Condition* leaf = &*condition;
          while (!leaf->of.empty()) leaf = &leaf->of.front();
          spec.name = leaf->field;
        }
        spec.condition = std::move(*condition);
      }
    }
    all.fields.push_back(std::move(spec));
  }
  cursor.skip_blanks();
  if (!cursor.at_end()) return cursor.wrong("the end");
  if (std::count_if(all.fields.begin(), all.fields.end(), [](const auto& one) { return one.ellipsis; }) > 1) {
    return Error{Errc::kMalformed, "Invalid filter pattern: '...' may stand once"};
  }
  return all;
}

Result<JsonCondition> parse_json_condition(std::string_view text) {
  Cursor cursor(text);
  if (!cursor.take("{")) return cursor.wrong("'{'");
  ConditionParser parser(cursor, &json_leaf);
  auto condition = parser.any_of();
  if (!condition) return condition.error();
  if (!cursor.take("}")) return cursor.wrong("'}'");
  cursor.skip_blanks();
  if (!cursor.at_end()) return cursor.wrong("the end");
  return JsonCondition{std::move(*condition)};
}

}  // namespace securebase::logs
