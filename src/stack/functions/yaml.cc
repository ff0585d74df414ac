#include "stack/functions/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "stack/functions/encoding.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kMostYamlBytes = std::size_t{8} << 20;
constexpr std::size_t kMostValues = 200'000;  // aliases can make a small text a huge value
constexpr int kMostYamlDepth = 100;

// Keys and values are quoted always, as Terraform does, so that no YAML reader takes "no" for a bool.
void write(const Value& value, int indent, bool in_list, std::string& out) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  if (value.is_map() && value.size() > 0) {
    bool first = in_list;
    if (!in_list && !out.empty()) out += '\n';
    for (const auto& [name, member] : value.members()) {
      out += (first ? "" : margin) + json_text(name) + ":";
      first = false;
      if (!(member.is_map() || member.is_sequence()) || member.size() == 0) out += ' ';
      write(member, member.is_sequence() ? indent : indent + 2, false, out);
    }
  } else if (value.is_sequence() && value.size() > 0) {
    bool first = in_list;
    if (!in_list && !out.empty()) out += '\n';
    for (const auto& element : value.elements()) {
      out += (first ? "" : margin) + "- ";
      first = false;
      write(element, indent + 2, true, out);
    }
  } else {
    if (value.is_string() && value.string().find('\n') != std::string::npos && value.string().back() == '\n' &&
        value.string().front() != ' ' && value.string().find('\r') == std::string::npos) {
      out += "|\n";
      std::string_view rest = value.string();
      while (!rest.empty()) {
        const auto end = rest.find('\n');
        const auto line = rest.substr(0, end);
        if (!line.empty()) out += margin + std::string(line);
        out += '\n';
        rest.remove_prefix(end + 1);
      }
      return;
    }
    out += json_encode(value) + "\n";
  }
}

class Reader {
 public:
  Result<Value> read(const YAML::Node& node, int depth) {
    if (++count_ > kMostValues || depth > kMostYamlDepth) {
      return Error{Errc::kLimit, "the document is too large or nested too deeply"};
    }
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return Value();
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        Value::List list;
        for (const auto& child : node) {
          auto element = read(child, depth + 1);
          if (!element) return element;
          list.push_back(std::move(*element));
        }
        return Value(std::move(list));
      }
      case YAML::NodeType::Map: {
        Value::Map map;
        for (const auto& child : node) {
          auto member = read(child.second, depth + 1);
          if (!member) return member;
          if (child.first.Scalar() == "<<" && member->is_map()) {  // a merge key: its own members win
            for (const auto& [name, value] : member->members()) map.emplace(name, value);
          } else {
            map.insert_or_assign(child.first.Scalar(), std::move(*member));
          }
        }
        return Value(std::move(map));
      }
    }
    return Value();
  }

 private:
  // Terraform's reader takes the words of YAML 1.1, too.
  static std::optional<bool> boolean(const std::string& text) {
    static const std::set<std::string_view> kTrue = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                                     "on",   "On",   "ON",   "y",   "Y"};
    static const std::set<std::string_view> kFalse = {"false", "False", "FALSE", "no", "No", "NO",
                                                      "off",   "Off",   "OFF",   "n",  "N"};
    if (kTrue.contains(text)) return true;
    return kFalse.contains(text) ? std::optional(false) : std::nullopt;
  }

  static Result<Value> scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str" || node.Tag() == "!!str") return Value(text);
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Value();
    if (const auto truth = boolean(text)) return Value(*truth);
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
      try {
        std::size_t used = 0;
        const auto number = std::stoull(text.substr(2), &used, text[1] == 'x' ? 16 : 8);
        if (used == text.size() - 2) return Value(number);
      } catch (const std::exception&) {
        return Value(text);
      }
    }
    if (const auto number = parse_number(text)) return Value(*number);
    return Value(text);
  }

  std::size_t count_ = 0;
};

}  // namespace

std::string yaml_encode(const Value& value) {
  std::string out;
  write(value, 0, false, out);
  return out;
}

Result<Value> yaml_decode(const std::string& text) {
  if (text.size() > kMostYamlBytes)
    return Error{Errc::kLimit, fmt::format("at most {} bytes of YAML are read", kMostYamlBytes)};
  try {
    return Reader().read(YAML::Load(text), 0);
  } catch (const YAML::Exception& failure) {
    return Error{Errc::kMalformed, fmt::format("not YAML: {}", failure.what())};
  }
}

}  // namespace securebase::stack
