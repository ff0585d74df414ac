// JSON values (RFC 8259). Objects keep the order in which their members came; integers keep their 64 bits.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace securebase::base {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;                                             // null
  Json(std::nullptr_t) {}                                       // NOLINT: implicit by design, as all below
  Json(bool value) : value_(value) {}                           // NOLINT
  Json(int value) : value_(std::int64_t{value}) {}              // NOLINT
  Json(std::int64_t value) : value_(value) {}                   // NOLINT
  Json(std::uint64_t value);                                    // NOLINT  beyond int64: a double
  Json(unsigned value) : value_(std::int64_t{value}) {}         // NOLINT
  Json(double value) : value_(value) {}                         // NOLINT
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT
  Json(Array value) : value_(std::move(value)) {}               // NOLINT
  Json(Object value) : value_(std::move(value)) {}              // NOLINT
  static Json object(std::initializer_list<Member> members = {}) { return Json(Object(members)); }
  static Json array(std::initializer_list<Json> elements = {}) { return Json(Array(elements)); }

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value if it is of that kind; else the fallback, or null for the pointers.
  bool bool_or(bool fallback) const;
  std::int64_t integer_or(std::int64_t fallback) const;  // a double without a fraction counts
  double number_or(double fallback) const;
  std::string_view string_or(std::string_view fallback) const;  // valid as long as this value
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const Array* as_array() const { return std::get_if<Array>(&value_); }
  Array* as_array() { return std::get_if<Array>(&value_); }
  const Object* as_object() const { return std::get_if<Object>(&value_); }
  Object* as_object() { return std::get_if<Object>(&value_); }

  // Member `name`; null when this is no object or has none.
  const Json* find(std::string_view name) const;
  // Member `name`; a null value when there is none, so that lookups chain: j["a"]["b"].string_or("").
  const Json& operator[](std::string_view name) const;
  // Makes this an object if it is null; replaces the member or adds it at the end.
  Json& set(std::string_view name, Json value);
  bool erase(std::string_view name);
  // Makes this an array if it is null.
  Json& push_back(Json value);

  // Compact; `indent` spaces a level otherwise. Invalid UTF-8 becomes U+FFFD.
  std::string dump(int indent = 0) const;
  void dump_to(std::string& out) const;

  // Limits: 64 MiB of text, 512 levels. The error names the offset.
  static Result<Json> parse(std::string_view text);

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace securebase::base
