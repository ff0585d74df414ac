#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"

namespace securebase::base {

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxDepth = 512;
constexpr std::size_t kLeastCapacity = 16 << 10;  // so that small texts never make the parser grow

Json from_element(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE:
      return {};
    case element_type::BOOL:
      return Json(bool(element));
    case element_type::INT64:
      return Json(std::int64_t(element));
    case element_type::UINT64:
      return Json(std::uint64_t(element));
    case element_type::DOUBLE:
      return Json(double(element));
    case element_type::STRING:
      return Json(std::string_view(element));
    case element_type::ARRAY: {
      Json::Array array;
      for (const auto child : simdjson::dom::array(element)) array.push_back(from_element(child));
      return Json(std::move(array));
    }
    case element_type::OBJECT: {
      Json::Object object;
      for (const auto field : simdjson::dom::object(element)) {
        object.emplace_back(std::string(field.key), from_element(field.value));
      }
      return Json(std::move(object));
    }
  }
  return {};
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {  // JSON has no word for it
    out += "null";
    return;
  }
  char buffer[32];
  const auto [end, failure] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
  if (std::string_view(buffer, end).find_first_of(".eE") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  void write(const Json& value, int level) {
    if (value.is_null()) {
      out_ += "null";
    } else if (value.is_bool()) {
      out_ += value.bool_or(false) ? "true" : "false";
    } else if (value.is_integer()) {
      fmt::format_to(std::back_inserter(out_), "{}", value.integer_or(0));
    } else if (value.is_number()) {
      append_double(out_, value.number_or(0));
    } else if (const auto* text = value.as_string()) {
      append_json_string(out_, *text);
    } else if (const auto* array = value.as_array()) {
      write_list(*array, level, '[', ']', [&](const Json& child) { write(child, level + 1); });
    } else {
      write_list(*value.as_object(), level, '{', '}', [&](const Json::Member& member) {
        append_json_string(out_, member.first);
        out_ += indent_ > 0 ? ": " : ":";
        write(member.second, level + 1);
      });
    }
  }

 private:
  template <class List, class WriteOne>
  void write_list(const List& list, int level, char open, char close, WriteOne write_one) {
    out_ += open;
    bool first = true;
    for (const auto& child : list) {
      if (!first) out_ += ',';
      first = false;
      new_line(level + 1);
      write_one(child);
    }
    if (!list.empty()) new_line(level);
    out_ += close;
  }

  void new_line(int level) {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(level * indent_), ' ');
  }

  std::string& out_;
  const int indent_;
};

}  // namespace

Json::Json(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(value);
  } else {
    value_ = static_cast<double>(value);
  }
}

bool Json::bool_or(bool fallback) const {
  const auto* value = std::get_if<bool>(&value_);
  return value ? *value : fallback;
}

std::int64_t Json::integer_or(std::int64_t fallback) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  const auto* value = std::get_if<double>(&value_);
  const bool whole = value && std::trunc(*value) == *value && std::abs(*value) < 9.2e18;
  return whole ? static_cast<std::int64_t>(*value) : fallback;
}

double Json::number_or(double fallback) const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  const auto* value = std::get_if<double>(&value_);
  return value ? *value : fallback;
}

std::string_view Json::string_or(std::string_view fallback) const {
  const auto* value = std::get_if<std::string>(&value_);
  return value ? std::string_view(*value) : fallback;
}

const Json* Json::find(std::string_view name) const {
  const auto* members = as_object();
  if (!members) return nullptr;
  for (const auto& [key, value] : *members) {
    if (key == name) return &value;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view name) const {
  static const Json kNull;
  const Json* found = find(name);
  return found ? *found : kNull;
}

Json& Json::set(std::string_view name, Json value) {
  if (is_null()) value_ = Object{};
  auto* members = as_object();
  check(members != nullptr, "set() of a JSON value that is an object");
  for (auto& [key, old] : *members) {
    if (key == name) {
      old = std::move(value);
      return *this;
    }
  }
  members->emplace_back(std::string(name), std::move(value));
  return *this;
}

bool Json::erase(std::string_view name) {
  auto* members = as_object();
  return members && std::erase_if(*members, [&](const Member& member) { return member.first == name; }) > 0;
}

Json& Json::push_back(Json value) {
  if (is_null()) value_ = Array{};
  auto* elements = as_array();
  check(elements != nullptr, "push_back() of a JSON value that is an array");
  elements->push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  std::string out;
  Writer(out, indent).write(*this, 0);
  return out;
}

void Json::dump_to(std::string& out) const { Writer(out, 0).write(*this, 0); }

Result<Json> Json::parse(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Error{Errc::kLimit, fmt::format("JSON of {} bytes, at most {} are read", text.size(), kMaxTextBytes)};
  }
  thread_local simdjson::dom::parser parser(kMaxTextBytes);
  if (parser.capacity() < text.size() || parser.max_depth() != kMaxDepth) {
    if (const auto failure = parser.allocate(std::max(text.size(), kLeastCapacity), kMaxDepth)) {
      return Error{Errc::kLimit, simdjson::error_message(failure)};
    }
  }
  simdjson::dom::element element;
  if (const auto failure = parser.parse(text.data(), text.size()).get(element)) {
    return Error{Errc::kMalformed, fmt::format("not JSON: {}", simdjson::error_message(failure))};
  }
  return from_element(element);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t clean = 0;  // start of what can be copied as it is
  std::size_t i = 0;
  const auto replace = [&](std::string_view with, std::size_t length) {
    out.append(text, clean, i - clean);
    out += with;
    i += length;
    clean = i;
  };
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"') {
      replace("\\\"", 1);
    } else if (byte == '\\') {
      replace("\\\\", 1);
    } else if (byte >= 0x20 && byte < 0x80) {
      ++i;
    } else if (byte >= 0x80) {
      const std::size_t length = utf8_length(text.substr(i));
      if (length == 0) {
        replace("\xef\xbf\xbd", 1);
      } else {
        i += length;
      }
    } else if (byte == '\n') {
      replace("\\n", 1);
    } else if (byte == '\t') {
      replace("\\t", 1);
    } else if (byte == '\r') {
      replace("\\r", 1);
    } else {
      char escape[8];
      fmt::format_to_n(escape, sizeof escape, "\\u{:04x}", byte);
      replace({escape, 6}, 1);
    }
  }
  out.append(text, clean, i - clean);
  out += '"';
}

}  // namespace securebase::base
