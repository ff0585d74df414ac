#include "stack/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/check.h"

namespace securebase::stack {

namespace {

bool is_plain_key(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9') || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

int sign(auto difference) { return difference < 0 ? -1 : difference > 0 ? 1 : 0; }

int compare_lists(const Value::List& a, const Value::List& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int order = Value::compare(a[i], b[i])) return order;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

int compare_maps(const Value::Map& a, const Value::Map& b) {
  auto left = a.begin();
  auto right = b.begin();
  for (; left != a.end() && right != b.end(); ++left, ++right) {
    if (const int order = left->first.compare(right->first)) return sign(order);
    if (const int order = Value::compare(left->second, right->second)) return order;
  }
  return left != a.end() ? 1 : right != b.end() ? -1 : 0;
}

}  // namespace

Value Value::set(List elements) {
  const bool sensitive = std::any_of(elements.begin(), elements.end(), [](const Value& v) { return v.sensitive(); });
  std::sort(elements.begin(), elements.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  Value made;
  made.state_ = Set{std::make_shared<const List>(std::move(elements))};
  made.sensitive_ = sensitive;
  return made;
}

Value::Kind Value::kind() const { return static_cast<Kind>(state_.index()); }

bool Value::boolean() const {
  check(is_bool(), "the value is a bool");
  return std::get<bool>(state_);
}

Value::Number Value::number() const {
  check(is_number(), "the value is a number");
  return std::get<Number>(state_);
}

const std::string& Value::string() const {
  check(is_string(), "the value is a string");
  return std::get<std::string>(state_);
}

const Value::List& Value::elements() const {
  check(is_sequence(), "the value is a list or set");
  if (const auto* set = std::get_if<Set>(&state_)) return *set->elements;
  return *std::get<std::shared_ptr<const List>>(state_);
}

const Value::Map& Value::members() const {
  check(is_map(), "the value is a map");
  return *std::get<std::shared_ptr<const Map>>(state_);
}

const Value* Value::find(std::string_view name) const {
  if (!is_map()) return nullptr;
  const auto found = members().find(name);
  return found == members().end() ? nullptr : &found->second;
}

const Value& Value::operator[](std::string_view name) const {
  static const Value kNone;
  const Value* found = find(name);
  return found ? *found : kNone;
}

std::size_t Value::size() const {
  if (is_sequence()) return elements().size();
  return is_map() ? members().size() : 0;
}

std::optional<bool> Value::to_bool() const {
  if (is_bool()) return boolean();
  if (!is_string()) return std::nullopt;
  if (string() == "true" || string() == "1") return true;
  if (string() == "false" || string() == "0") return false;
  return std::nullopt;
}

std::optional<Value::Number> Value::to_number() const {
  if (is_number()) return number();
  return is_string() ? parse_number(string()) : std::nullopt;
}

std::optional<std::int64_t> Value::to_integer() const {
  const auto value = to_number();
  if (!value || std::trunc(*value) != *value) return std::nullopt;
  if (*value < static_cast<Number>(std::numeric_limits<std::int64_t>::min()) ||
      *value > static_cast<Number>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*value);
}

std::optional<std::string> Value::to_text() const {
  if (is_string()) return string();
  if (is_bool()) return boolean() ? "true" : "false";
  if (is_number()) return number_text(number());
  return std::nullopt;
}

bool Value::contains_sensitive() const {
  if (sensitive_) return true;
  if (is_sequence()) {
    return std::any_of(elements().begin(), elements().end(), [](const Value& v) { return v.contains_sensitive(); });
  }
  if (is_map()) {
    return std::any_of(members().begin(), members().end(), [](const auto& m) { return m.second.contains_sensitive(); });
  }
  return false;
}

Value Value::marked(bool sensitive) const {
  Value copy = *this;
  copy.sensitive_ = sensitive;
  return copy;
}

Value Value::opened(Open as) const {
  Value copy = *this;
  copy.open_ = std::make_shared<const Open>(std::move(as));
  return copy;
}

Value Value::unmarked() const {
  if (!contains_sensitive()) return *this;
  if (is_sequence()) {
    List copy;
    for (const auto& element : elements()) copy.push_back(element.unmarked());
    return is_set() ? set(std::move(copy)) : Value(std::move(copy));
  }
  if (is_map()) {
    Map copy;
    for (const auto& [name, value] : members()) copy.emplace(name, value.unmarked());
    Value made(std::move(copy));
    made.open_ = open_;
    return made;
  }
  return marked(false);
}

bool Value::operator==(const Value& other) const { return compare(*this, other) == 0; }

int Value::compare(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return a.kind() < b.kind() ? -1 : 1;
  switch (a.kind()) {
    case Kind::kNull:
      return 0;
    case Kind::kBool:
      return int{a.boolean()} - int{b.boolean()};
    case Kind::kNumber:
      return sign(a.number() - b.number());
    case Kind::kString:
      return sign(a.string().compare(b.string()));
    case Kind::kList:
    case Kind::kSet:
      return compare_lists(a.elements(), b.elements());
    case Kind::kMap:
      return compare_maps(a.members(), b.members());
  }
  return 0;
}

base::Json Value::to_json() const {
  switch (kind()) {
    case Kind::kNull:
      return nullptr;
    case Kind::kBool:
      return boolean();
    case Kind::kNumber:
      if (const auto integer = to_integer()) return *integer;
      return static_cast<double>(number());
    case Kind::kString:
      return string();
    case Kind::kList:
    case Kind::kSet: {
      base::Json::Array array;
      for (const auto& element : elements()) array.push_back(element.to_json());
      return array;
    }
    case Kind::kMap: {
      base::Json::Object object;
      for (const auto& [name, value] : members()) object.emplace_back(name, value.to_json());
      return object;
    }
  }
  return nullptr;
}

Value Value::from_json(const base::Json& json) {
  if (json.is_bool()) return json.bool_or(false);
  if (json.is_integer()) return json.integer_or(0);
  if (json.is_number()) return parse_number(fmt::format("{}", json.number_or(0))).value_or(0);
  if (const auto* text = json.as_string()) return *text;
  if (const auto* array = json.as_array()) {
    List list;
    for (const auto& element : *array) list.push_back(from_json(element));
    return list;
  }
  if (const auto* object = json.as_object()) {
    Map map;
    for (const auto& [name, value] : *object) map.insert_or_assign(name, from_json(value));
    return map;
  }
  return nullptr;
}

std::string Value::display(int indent) const {
  if (sensitive_) return "(sensitive value)";
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  switch (kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
    case Kind::kNumber:
      return *to_text();
    case Kind::kString:
      return in_quotes(string());
    case Kind::kList:
    case Kind::kSet: {
      if (elements().empty()) return "[]";
      std::string out = "[\n";
      for (const auto& element : elements()) out += fmt::format("{}  {},\n", margin, element.display(indent + 2));
      return out + margin + "]";
    }
    case Kind::kMap: {
      if (members().empty()) return "{}";
      std::size_t width = 0;
      const auto key = [](const std::string& name) { return is_plain_key(name) ? name : in_quotes(name); };
      for (const auto& [name, value] : members()) width = std::max(width, key(name).size());
      std::string out = "{\n";
      for (const auto& [name, value] : members()) {
        out += fmt::format("{}  {:<{}} = {}\n", margin, key(name), width, value.display(indent + 2));
      }
      return out + margin + "}";
    }
  }
  return "null";
}

std::string_view to_string(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kNumber:
      return "number";
    case Value::Kind::kString:
      return "string";
    case Value::Kind::kList:
      return "list";
    case Value::Kind::kSet:
      return "set";
    case Value::Kind::kMap:
      return "map";
  }
  return "unknown";
}

std::string number_text(Value::Number number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (std::trunc(number) == number) return fmt::format("{:.0f}", number == 0 ? 0 : number);
  if (static_cast<Value::Number>(static_cast<double>(number)) == number && std::fabs(number) > 1e-4L) {
    return fmt::format("{}", static_cast<double>(number));  // computed as a double: its own shortest form
  }
  // Digits after the point that 18 significant ones leave room for; what is below 1 has its zeros on top of them.
  const int magnitude = static_cast<int>(std::floor(std::log10(std::fabs(number)))) + 1;
  const int decimals = std::clamp(18 - magnitude, 1, 340);
  std::string text = fmt::format("{:.{}f}", number, decimals);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::optional<Value::Number> parse_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i > start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  if (!digits()) return std::nullopt;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (!digits()) return std::nullopt;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (!digits()) return std::nullopt;
  }
  if (i != text.size() || text.size() > 400) return std::nullopt;
  const Value::Number number = std::strtold(std::string(text).c_str(), nullptr);
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if ((c == '$' || c == '%') && i + 1 < text.size() && text[i + 1] == '{') {
      out += c;
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace securebase::stack
