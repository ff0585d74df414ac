#include "logs/store/flatten.h"

#include <simdjson.h>

#include <charconv>

namespace securebase::logs {

namespace {

constexpr std::size_t kLeastJsonCapacity = 16 << 10;   // so that small lines never make the parser grow
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: a larger integer stays text, with all its digits

class Walk {
 public:
  Walk(const Discoverer::Limits& limits, FieldReceiver& into, std::string& name)
      : limits_(limits), into_(into), name_(name) {}

  void object(simdjson::dom::object members, std::size_t level) {
    for (const auto member : members) {
      const auto length = name_.size();
      if (length > 0) name_ += '.';
      if (length == 0 && member.key.starts_with('@')) name_ += '@';
      name_ += member.key;
      value(member.value, level);
      name_.resize(length);
      if (found_ >= limits_.fields) return;
    }
  }

 private:
  void list(simdjson::dom::array elements, std::size_t level) {
    std::size_t index = 0;
    for (const auto element : elements) {
      const auto length = name_.size();
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, index++).ptr;
      name_.append(".").append(digits, end);
      value(element, level);
      name_.resize(length);
      if (found_ >= limits_.fields) return;
    }
  }

  void value(simdjson::dom::element element, std::size_t level) {
    using simdjson::dom::element_type;
    if (name_.size() > limits_.name_bytes) return;
    switch (element.type()) {
      case element_type::OBJECT:
        if (level < limits_.levels) object(simdjson::dom::object(element), level + 1);
        return;
      case element_type::ARRAY:
        if (level < limits_.levels) list(simdjson::dom::array(element), level + 1);
        return;
      case element_type::NULL_VALUE:
        return;
      case element_type::BOOL:
        into_.text(name_, bool(element) ? "true" : "false");
        break;
      case element_type::INT64:
        integer(std::int64_t(element));
        break;
      case element_type::UINT64:
        integer(std::uint64_t(element));
        break;
      case element_type::DOUBLE:
        into_.number(name_, double(element));
        break;
      case element_type::STRING:
        into_.text(name_, std::string_view(element));
        break;
    }
    ++found_;
  }

  template <class Integer>
  void integer(Integer value) {
    const auto number = static_cast<double>(value);
    if (number < kExactIntegers && number > -kExactIntegers) return into_.number(name_, number);
    into_.text(name_, std::to_string(value));
  }

  const Discoverer::Limits& limits_;
  FieldReceiver& into_;
  std::string& name_;
  std::size_t found_ = 0;
};

}  // namespace

std::string_view first_json_object(std::string_view text) {
  const auto begin = text.find('{');
  if (begin == std::string_view::npos) return {};
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text.substr(begin, i - begin + 1);
    }
  }
  return {};
}

struct JsonFlattener::Parser {
  simdjson::dom::parser parser;
  std::string padded;
  std::string name;
};

JsonFlattener::JsonFlattener(Discoverer::Limits limits) : limits_(limits), parser_(std::make_unique<Parser>()) {}
JsonFlattener::~JsonFlattener() = default;

void JsonFlattener::flatten(std::string_view message, FieldReceiver& into) {
  const auto open = message.find('{');
  if (open == std::string_view::npos) return;
  // A line that is an object and nothing else, which is what most are, needs no look for its end.
  auto json = open == 0 && message.back() == '}' ? message : first_json_object(message);
  for (;;) {
    if (json.size() < 2 || json.size() > limits_.json_bytes) return;
    auto& padded = parser_->padded;
    padded.reserve(std::max(json.size() + simdjson::SIMDJSON_PADDING, kLeastJsonCapacity));
    padded.assign(json);
    simdjson::dom::element root;
    if (parser_->parser.parse(padded.data(), json.size(), false).get(root) == simdjson::SUCCESS) {
      simdjson::dom::object object;
      if (root.get(object) != simdjson::SUCCESS) return;
      parser_->name.clear();
      Walk(limits_, into, parser_->name).object(object, 1);
      return;
    }
    const auto shorter = first_json_object(message);
    if (shorter.size() == json.size()) return;
    json = shorter;
  }
}

}  // namespace securebase::logs
