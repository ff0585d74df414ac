#include "aws/scalar.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "aws/timestamps.h"
#include "base/encoding.h"
#include "net/http/message.h"

namespace securebase::aws {

namespace {

Complaint not_a(std::string_view what, std::string_view text, std::string_view path) {
  return {Complaint::Kind::kUnparsable,
          std::string(path),
          fmt::format("expected {}, came \"{}\"", what, text.substr(0, 100)),
          {}};
}

Result<Value, Complaint> number_from_text(const Shape& shape, std::string_view text, std::string_view path) {
  const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* const end = text.data() + text.size();
  if (shape.type == Type::kInteger || shape.type == Type::kLong) {
    std::int64_t value = 0;
    const auto [stopped, failure] = std::from_chars(begin, end, value);
    if (failure == std::errc{} && stopped == end && begin != end) return Value(value);
    return not_a("a whole number", text, path);
  }
  if (text == "NaN") return Value(std::numeric_limits<double>::quiet_NaN());
  if (text == "Infinity") return Value(std::numeric_limits<double>::infinity());
  if (text == "-Infinity") return Value(-std::numeric_limits<double>::infinity());
  double value = 0;
  const auto [stopped, failure] = std::from_chars(begin, end, value);
  if (failure == std::errc{} && stopped == end && begin != end && std::isfinite(value)) return Value(value);
  return not_a("a number", text, path);
}

}  // namespace

Result<Value, Complaint> value_from_text(const Shape& shape, std::string_view text, std::string_view path) {
  switch (shape.type) {
    case Type::kString:
      return Value(text);
    case Type::kBlob: {
      auto bytes = base::from_base64(text);
      if (!bytes) return not_a("base64", text, path);
      return Value(Blob{std::move(*bytes)});
    }
    case Type::kBoolean:
      if (http::equal_ignoring_case(text, "true")) return Value(true);
      if (http::equal_ignoring_case(text, "false")) return Value(false);
      return not_a("true or false", text, path);
    case Type::kInteger:
    case Type::kLong:
    case Type::kFloat:
    case Type::kDouble:
      return number_from_text(shape, text, path);
    case Type::kTimestamp: {
      const auto time = parse_time(text);
      if (!time) return not_a("a time", text, path);
      return Value(*time);
    }
    case Type::kStructure:
    case Type::kList:
    case Type::kMap:
      break;
  }
  return not_a("something with members", text, path);
}

bool is_scalar(const Value& value) { return !value.is_null() && !value.is_list() && !value.is_structure(); }

void append_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
  } else if (std::isinf(number)) {
    out += number < 0 ? "-Infinity" : "Infinity";
  } else {
    char buffer[32];
    const auto [end, failure] = std::to_chars(buffer, buffer + sizeof buffer, number);
    out.append(buffer, end);
    if (std::string_view(buffer, end).find_first_of(".e") == std::string_view::npos) out += ".0";
  }
}

void append_scalar(std::string& out, const Value& value, TimeFormat format) {
  if (const auto* text = value.as_string()) {
    out += *text;
  } else if (const auto* blob = value.as_blob()) {
    out += base::base64(blob->bytes);
  } else if (const auto* time = value.as_time()) {
    out += format_time(*time, format);
  } else if (value.is_bool()) {
    out += value.bool_or(false) ? "true" : "false";
  } else if (value.is_integer()) {
    fmt::format_to(std::back_inserter(out), "{}", value.integer_or(0));
  } else if (value.is_number()) {
    append_number(out, value.number_or(0));
  }
}

}  // namespace securebase::aws
