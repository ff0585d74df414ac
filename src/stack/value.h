// What an expression of Terraform comes to: null, bool, number, string, list, set or map.
//
// Terraform tells tuples from lists and objects from maps by their types; here both of a pair are one kind, since the
// difference lies in what a type constraint asks (stack/type.h), not in what the value holds. Maps are in the order of
// their keys' bytes and sets in the order of their elements, as Terraform iterates them.
//
// A value is immutable once made and cheap to copy: its lists and maps are shared. Any thread may read it.
// A value may be marked sensitive: it is then shown as "(sensitive value)", and what is computed from it is marked too.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace securebase::stack {

class Value {
 public:
  enum class Kind { kNull, kBool, kNumber, kString, kList, kSet, kMap };
  // Holds every 64-bit integer exactly, and decimal fractions to 18 digits.
  using Number = long double;
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;

  Value() = default;                                       // null
  Value(std::nullptr_t) {}                                 // NOLINT: implicit
  Value(std::same_as<bool> auto value) : state_(value) {}  // NOLINT
  template <class T>
    requires((std::integral<T> && !std::same_as<T, bool>) || std::floating_point<T>)
  Value(T value) : state_(static_cast<Number>(value)) {}                         // NOLINT
  Value(std::string value) : state_(std::move(value)) {}                         // NOLINT
  Value(std::string_view value) : state_(std::string(value)) {}                  // NOLINT
  Value(const char* value) : state_(std::string(value)) {}                       // NOLINT
  Value(List value) : state_(std::make_shared<const List>(std::move(value))) {}  // NOLINT
  Value(Map value) : state_(std::make_shared<const Map>(std::move(value))) {}    // NOLINT
  static Value list(std::initializer_list<Value> elements = {}) { return Value(List(elements)); }
  static Value map(std::initializer_list<Map::value_type> members = {}) { return Value(Map(members)); }
  // Sorts, and drops what is there twice.
  static Value set(List elements);

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_number() const { return kind() == Kind::kNumber; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_set() const { return kind() == Kind::kSet; }
  bool is_sequence() const { return is_list() || is_set(); }
  bool is_map() const { return kind() == Kind::kMap; }
  bool is_primitive() const { return is_bool() || is_number() || is_string(); }

  // The content of a value known to be of that kind.
  bool boolean() const;
  Number number() const;
  const std::string& string() const;
  const List& elements() const;  // of a list or set
  const Map& members() const;

  // Member `name`; null pointer (or a null value) when this is no map or has none.
  const Value* find(std::string_view name) const;
  const Value& operator[](std::string_view name) const;
  // Elements of a sequence, members of a map, 0 of anything else.
  std::size_t size() const;

  // Terraform's own conversions between primitives: "true" is true, "3" is 3, 1.50 is "1.5". nullopt: there is none.
  std::optional<bool> to_bool() const;
  std::optional<Number> to_number() const;
  std::optional<std::int64_t> to_integer() const;  // a number without a fraction, in range
  std::optional<std::string> to_text() const;

  // The mark of this value itself; contains_sensitive() looks at what it holds, too.
  bool sensitive() const { return sensitive_; }
  bool contains_sensitive() const;
  Value marked(bool sensitive = true) const;
  // Without a mark anywhere.
  Value unmarked() const;

  // Same kind and content; marks do not count.
  bool operator==(const Value& other) const;
  // Any total order, which sets use: by kind, then content.
  static int compare(const Value& a, const Value& b);

  // An object that may have more members than are here, or a text that stands for something nobody here knows: what its
  // provider computes. A member that is not there stands for itself then (evaluate/evaluator.cc). It goes with the
  // value wherever that goes, and does not count in comparisons.
  struct Open {
    std::string address;  // aws_s3_bucket.portal, github_thing.a[0].owner: what the members' names are written behind
    bool listed = false;  // most of its names are known, so that one near to a known one is a misspelling
    std::string type{};   // aws_s3_bucket, of a whole object; "": of what lies in one
    bool read = false;    // by a data source
  };
  const Open* open() const { return open_.get(); }
  Value opened(Open as) const;

  base::Json to_json() const;  // reveals what is sensitive
  static Value from_json(const base::Json& json);

  // As `plan` prints it: HCL, with sensitive parts hidden. Lines after the first begin with `indent` spaces.
  std::string display(int indent = 0) const;

 private:
  struct Set {
    std::shared_ptr<const List> elements;
  };
  std::variant<std::nullptr_t, bool, Number, std::string, std::shared_ptr<const List>, Set, std::shared_ptr<const Map>>
      state_ = nullptr;
  bool sensitive_ = false;
  std::shared_ptr<const Open> open_;  // null: nothing is missing
};

// "null", "bool", "number", "string", "list", "set", "map": for messages.
std::string_view to_string(Value::Kind kind);
// As Terraform writes numbers: 3, 0.5, 1000000; never in exponents.
std::string number_text(Value::Number number);
// nullopt: no decimal number ("1e3" is one, "0x10" is not).
std::optional<Value::Number> parse_number(std::string_view text);
// The string as an HCL literal, with its quotes.
std::string in_quotes(std::string_view text);

}  // namespace securebase::stack
