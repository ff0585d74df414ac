#include "gateway/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>

namespace securebase::gateway {
namespace {

struct Converter {
  std::size_t nodes = 0;

  Result<base::Json> convert(const YAML::Node& node, int depth) {
    // Aliases are written out, so that a small document could become a huge one.
    if (++nodes > 100'000 || depth > 100) return Error{Errc::kLimit, "the document is too large or too deep"};
    switch (node.Type()) {
      case YAML::NodeType::Map: {
        base::Json::Object members;
        for (const auto& member : node) {
          auto value = convert(member.second, depth + 1);
          if (!value) return value.error();
          members.emplace_back(member.first.Scalar(), std::move(*value));
        }
        return base::Json(std::move(members));
      }
      case YAML::NodeType::Sequence: {
        base::Json::Array elements;
        for (const auto& element : node) {
          auto value = convert(element, depth + 1);
          if (!value) return value.error();
          elements.push_back(std::move(*value));
        }
        return base::Json(std::move(elements));
      }
      case YAML::NodeType::Scalar:
        return scalar(node);
      default:
        return base::Json();
    }
  }

  // yaml-cpp marks what was quoted by the tag "!": that is text, whatever it looks like.
  static base::Json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    if (const auto got = std::from_chars(text.data(), end, whole); got.ec == std::errc{} && got.ptr == end)
      return whole;
    double real = 0;
    if (const auto got = std::from_chars(text.data(), end, real); got.ec == std::errc{} && got.ptr == end) return real;
    return text;
  }
};

}  // namespace

Result<base::Json> parse_yaml(std::string_view text) {
  try {
    Converter converter;
    return converter.convert(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& failure) {
    return Error{Errc::kMalformed, fmt::format("line {}: {}", failure.mark.line + 1, failure.msg)};
  }
}

}  // namespace securebase::gateway
