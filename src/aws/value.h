// What an AWS request says and a response answers, free of any wire protocol: a tree of structures, lists and scalars.
// The service model (model.h) says which member is text, bytes or a time; a Value carries it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace securebase::aws {

// Bytes that are no text: base64 in JSON and XML, a byte string in CBOR, as they are in a payload.
struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

// Structures and maps are the same here: members in the order in which they came. A Value that is null is absent: it is
// not written.
class Value {
 public:
  using List = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Structure = std::vector<Member>;

  Value() = default;                                             // absent
  Value(std::nullptr_t) {}                                       // NOLINT: implicit by design, as all below
  Value(bool value) : value_(value) {}                           // NOLINT
  Value(int value) : value_(std::int64_t{value}) {}              // NOLINT
  Value(unsigned value) : value_(std::int64_t{value}) {}         // NOLINT
  Value(std::int64_t value) : value_(value) {}                   // NOLINT
  Value(std::uint64_t value);                                    // NOLINT  beyond int64: the largest
  Value(double value) : value_(value) {}                         // NOLINT
  Value(std::string value) : value_(std::move(value)) {}         // NOLINT
  Value(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Value(const char* value) : value_(std::string(value)) {}       // NOLINT
  Value(Blob value) : value_(std::move(value)) {}                // NOLINT
  Value(base::TimePoint value) : value_(value) {}                // NOLINT
  Value(List value) : value_(std::move(value)) {}                // NOLINT
  Value(Structure value) : value_(std::move(value)) {}           // NOLINT
  static Value structure(std::initializer_list<Member> members = {}) { return Value(Structure(members)); }
  static Value list(std::initializer_list<Value> elements = {}) { return Value(List(elements)); }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_blob() const { return std::holds_alternative<Blob>(value_); }
  bool is_time() const { return std::holds_alternative<base::TimePoint>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_structure() const { return std::holds_alternative<Structure>(value_); }

  // The value if it is of that kind; else the fallback, or null for the pointers.
  bool bool_or(bool fallback) const;
  std::int64_t integer_or(std::int64_t fallback) const;
  double number_or(double fallback) const;
  std::string_view string_or(std::string_view fallback) const;  // valid as long as this value
  base::TimePoint time_or(base::TimePoint fallback) const;
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Blob* as_blob() const { return std::get_if<Blob>(&value_); }
  Blob* as_blob() { return std::get_if<Blob>(&value_); }
  const base::TimePoint* as_time() const { return std::get_if<base::TimePoint>(&value_); }
  const List* as_list() const { return std::get_if<List>(&value_); }
  List* as_list() { return std::get_if<List>(&value_); }
  const Structure* as_structure() const { return std::get_if<Structure>(&value_); }
  Structure* as_structure() { return std::get_if<Structure>(&value_); }

  // The elements, or none: `for (const auto& datum : input["MetricData"].elements())`.
  const List& elements() const;
  // The members, or none.
  const Structure& members() const;

  // Member `name`; null when this is no structure or has none.
  const Value* find(std::string_view name) const;
  // Member `name`; an absent value when there is none, so that lookups chain.
  const Value& operator[](std::string_view name) const;
  // Makes this a structure if it is absent; replaces the member or adds it at the end.
  Value& set(std::string_view name, Value value);
  // Makes this a list if it is absent.
  Value& push_back(Value value);

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Blob, base::TimePoint, List, Structure> value_;
};

}  // namespace securebase::aws
