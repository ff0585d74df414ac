#include <fmt/format.h>

#include <pugixml.hpp>

#include "aws/scalar.h"
#include "aws/xml_codec.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kMaxXmlBytes = std::size_t{8} << 20;  // DeleteObjects with 1000 keys of 1 KiB is 1.2 MB
constexpr std::size_t kMaxXmlDepth = 64;

Complaint unparsable(std::string message) { return {Complaint::Kind::kUnparsable, "", std::move(message), {}}; }

// What the parser must not see: depth and DTDs, in one pass over the tags.
std::optional<Complaint> refused(std::string_view body) {
  if (body.size() > kMaxXmlBytes) return unparsable(fmt::format("the document is longer than {} bytes", kMaxXmlBytes));
  const auto skip_to = [&body](std::size_t from, std::string_view end) {
    const auto found = body.find(end, from);
    return found == std::string_view::npos ? body.size() : found + end.size();
  };
  std::size_t depth = 0;
  for (auto at = body.find('<'); at < body.size(); at = body.find('<', at)) {
    const auto tag = body.substr(at);
    if (tag.starts_with("<!--")) {
      at = skip_to(at, "-->");
    } else if (tag.starts_with("<![CDATA[")) {
      at = skip_to(at, "]]>");
    } else if (tag.starts_with("<?")) {
      at = skip_to(at, "?>");
    } else if (tag.starts_with("<!")) {
      return unparsable("documents with a DTD are not read");
    } else if (tag.starts_with("</")) {
      if (depth > 0) --depth;
      at += 2;
    } else {
      // To the end of the tag; a '>' may stand in an attribute's value.
      char quote = 0;
      for (++at; at < body.size() && (quote != 0 || body[at] != '>'); ++at) {
        if (quote != 0) {
          if (body[at] == quote) quote = 0;
        } else if (body[at] == '"' || body[at] == '\'') {
          quote = body[at];
        }
      }
      if (at < body.size() && body[at - 1] != '/' && ++depth > kMaxXmlDepth) {
        return unparsable(fmt::format("the document is nested in more than {} levels", kMaxXmlDepth));
      }
    }
  }
  return std::nullopt;
}

std::string_view without_prefix(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string_view name_of(const pugi::xml_node& node) { return without_prefix(node.name()); }

bool is_element(const pugi::xml_node& node) { return node.type() == pugi::node_element; }

std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const auto child : node) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
  }
  return text;
}

Value freely(const pugi::xml_node& node) {
  Value::Structure members;
  for (const auto child : node) {
    if (is_element(child)) members.emplace_back(std::string(name_of(child)), freely(child));
  }
  if (members.empty()) return text_of(node);
  return members;
}

class XmlDecoder {
 public:
  Result<Value, Complaint> decode(const pugi::xml_node& node, const Shape& shape) {
    switch (shape.type) {
      case Type::kStructure:
        return structure(node, shape);
      case Type::kList:
        return list(node, shape);
      case Type::kMap:
        return map(node, shape);
      default:
        return value_from_text(shape, text_of(node), path_);
    }
  }

 private:
  Result<Value, Complaint> structure(const pugi::xml_node& node, const Shape& shape) {
    Value members = Value::structure();
    for (const auto& member : shape.members) {
      if (!member.xml_attribute) continue;
      for (const auto attribute : node.attributes()) {
        if (attribute.name() != member.wire && without_prefix(attribute.name()) != without_prefix(member.wire))
          continue;
        auto value = value_from_text(*member.shape, attribute.value(), path_);
        if (!value) return value.error();
        members.set(member.name, std::move(*value));
      }
    }
    for (const auto child : node) {
      if (!is_element(child)) continue;
      const Member* member = find_member(shape, name_of(child));
      if (!member) {
        members.as_structure()->emplace_back(std::string(name_of(child)), freely(child));
        continue;
      }
      const auto mark = path_.size();
      if (mark > 0) path_ += '.';
      path_ += member->name;
      auto taken = take(members, *member, child);
      if (!taken) return taken.error();
      path_.resize(mark);
    }
    return members;
  }

  // Flattened lists and maps are elements that come again and again.
  Result<Done, Complaint> take(Value& members, const Member& member, const pugi::xml_node& child) {
    const bool flattened = member.flattened || member.shape->flattened;
    if (flattened && member.shape->type == Type::kList) {
      auto value = decode(child, *member.shape->element().shape);
      if (!value) return value.error();
      held(members, member.name).push_back(std::move(*value));
      return Done{};
    }
    if (flattened && member.shape->type == Type::kMap) {
      Value& entries = held(members, member.name);
      if (entries.is_null()) entries = Value::structure();
      return entry(*entries.as_structure(), child, *member.shape);
    }
    auto value = decode(child, *member.shape);
    if (!value) return value.error();
    held(members, member.name) = std::move(*value);
    return Done{};
  }

  static Value& held(Value& members, std::string_view name) {
    for (auto& [held_name, value] : *members.as_structure()) {
      if (held_name == name) return value;
    }
    return members.as_structure()->emplace_back(std::string(name), Value()).second;
  }

  static const Member* find_member(const Shape& shape, std::string_view element) {
    for (const auto& member : shape.members) {
      if (member.location != Location::kBody || member.xml_attribute) continue;
      if (without_prefix(member.wire) == element) return &member;
      const bool flattened_list = member.shape->type == Type::kList && (member.flattened || member.shape->flattened);
      if (flattened_list && member.shape->element().has_wire_name && member.shape->element().wire == element) {
        return &member;
      }
    }
    return nullptr;
  }

  Result<Value, Complaint> list(const pugi::xml_node& node, const Shape& shape) {
    Value::List elements;
    for (const auto child : node) {
      if (!is_element(child)) continue;
      const auto mark = path_.size();
      fmt::format_to(std::back_inserter(path_), ".{}", elements.size() + 1);
      auto value = decode(child, *shape.element().shape);
      if (!value) return value.error();
      path_.resize(mark);
      elements.push_back(std::move(*value));
    }
    return Value(std::move(elements));
  }

  Result<Value, Complaint> map(const pugi::xml_node& node, const Shape& shape) {
    Value::Structure entries;
    for (const auto child : node) {
      if (!is_element(child)) continue;
      if (auto taken = entry(entries, child, shape); !taken) return taken.error();
    }
    return Value(std::move(entries));
  }

  Result<Done, Complaint> entry(Value::Structure& entries, const pugi::xml_node& node, const Shape& shape) {
    std::string key;
    Value value;
    for (const auto child : node) {
      if (!is_element(child)) continue;
      if (name_of(child) == shape.key().wire) {
        key = text_of(child);
      } else {
        auto decoded = decode(child, *shape.value().shape);
        if (!decoded) return decoded.error();
        value = std::move(*decoded);
      }
    }
    entries.emplace_back(std::move(key), std::move(value));
    return Done{};
  }

  std::string path_;
};

}  // namespace

Result<Value, Complaint> decode_xml(std::string_view body, const Shape& shape, std::string_view root) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return Value::structure();
  if (auto complaint = refused(body)) return std::move(*complaint);
  pugi::xml_document document;
  // White space is kept where it is all that an element holds: the value of a tag may be a space.
  const auto parsed = document.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
                                           pugi::encoding_utf8);
  if (!parsed) return unparsable(fmt::format("{} at offset {}", parsed.description(), parsed.offset));
  const auto element = document.document_element();
  if (!root.empty() && name_of(element) != root) {
    return unparsable(fmt::format("the root element is {}, expected {}", name_of(element), root));
  }
  return XmlDecoder().decode(element, shape);
}

}  // namespace securebase::aws
