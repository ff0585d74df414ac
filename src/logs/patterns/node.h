// What a pattern is compiled to.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "logs/patterns/pattern.h"

namespace securebase::logs {

// What a value or a term is held against.
struct Matcher {
  std::string text;                  // as it stands; with *, pieces that follow each other
  std::shared_ptr<const RE2> regex;  // takes the place of the text
  std::optional<double> number;      // where the text is a number and no quotes are around it

  bool equals(std::string_view value) const;     // all of it
  bool is_within(std::string_view value) const;  // somewhere in it
};

// `*` stands for any text.
bool matches_wildcards(std::string_view pattern, std::string_view text);

struct Term {
  enum class Kind { kRequired, kExcluded, kOptional } kind = Kind::kRequired;
  Matcher matcher;
};

enum class Comparison {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIsNull,
  kIsTrue,
  kIsFalse,
  kExists,
  kNotExists
};

struct Selector {
  struct Step {
    std::string member;
    std::optional<std::size_t> index;
    bool any = false;  // [*] or .*
  };
  std::vector<Step> steps;
  std::string text;  // "$.a.b"
};

struct Condition {
  enum class Kind { kAnd, kOr, kCompare } kind = Kind::kCompare;
  std::vector<Condition> of;  // kAnd, kOr
  Selector selector;          // JSON
  std::string field;          // fields between spaces
  Comparison comparison = Comparison::kEqual;
  Matcher matcher;
};

struct FieldSpec {
  std::string name;
  bool ellipsis = false;
  std::optional<Condition> condition;
};

struct Terms {
  std::vector<Term> terms;
};
struct Fields {
  std::vector<FieldSpec> fields;
};
struct JsonCondition {
  Condition condition;
};

struct Pattern::Node {
  std::variant<Terms, Fields, JsonCondition> what;
};

// parse.cc
Result<Terms> parse_terms(std::string_view text);
Result<Fields> parse_fields(std::string_view text);
Result<JsonCondition> parse_json_condition(std::string_view text);
std::optional<Selector> parse_selector(std::string_view text);

// fields.cc: "a [b c] "d e"" cut at spaces; brackets and quotes hold one field together and are not part of it.
std::vector<std::string_view> cut_fields(std::string_view message);
bool matches_fields(const Fields& pattern, std::string_view message);
// By index of the pattern's fields: the message's, or nullopt if it does not match.
std::optional<std::vector<std::string_view>> match_fields(const Fields& pattern, std::string_view message);

// json.cc
bool matches_json(const Condition& condition, const base::Json& root);
// What the steps lead to; several through [*].
void find_values(const base::Json& root, const Selector& selector, std::vector<const base::Json*>& into);
std::string json_text(const base::Json& value);

bool compare(Comparison comparison, const Matcher& matcher, std::string_view value, std::optional<double> number);

}  // namespace securebase::logs
