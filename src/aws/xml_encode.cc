#include <fmt/format.h>

#include "aws/scalar.h"
#include "aws/xml_codec.h"

namespace securebase::aws {

namespace {

// Length of the UTF-8 sequence that begins `text` (RFC 3629), or 0 if none does.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool short_form = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return continues(1) && continues(2) && !short_form && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool outside = (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return continues(1) && continues(2) && continues(3) && !outside ? 4 : 0;
  }
  return 0;
}

void open_tag(std::string& out, std::string_view element, std::string_view xml_namespace, std::string_view prefix,
              const Value& value, const Shape* shape) {
  out += '<';
  out += element;
  if (!xml_namespace.empty()) {
    out += prefix.empty() ? " xmlns=\"" : " xmlns:";
    if (!prefix.empty()) {
      out += prefix;
      out += "=\"";
    }
    append_xml_text(out, xml_namespace);
    out += '"';
  }
  if (shape && shape->type == Type::kStructure) {
    for (const auto& member : shape->members) {
      const auto* held = member.xml_attribute ? value.find(member.name) : nullptr;
      if (!held || !is_scalar(*held)) continue;
      std::string text;
      append_scalar(text, *held, TimeFormat::kIso8601);
      out += ' ';
      out += member.wire;
      out += "=\"";
      append_xml_text(out, text);
      out += '"';
    }
  }
  out += '>';
}

void close_tag(std::string& out, std::string_view element) {
  out += "</";
  out += element;
  out += '>';
}

void encode_element(std::string& out, std::string_view element, const Value& value, const Shape* shape,
                    TimeFormat format, std::string_view xml_namespace, std::string_view prefix);

void encode_entry(std::string& out, std::string_view element, std::string_view key, const Value& value,
                  const Shape& shape) {
  open_tag(out, element, {}, {}, {}, nullptr);
  open_tag(out, shape.key().wire, {}, {}, {}, nullptr);
  append_xml_text(out, key);
  close_tag(out, shape.key().wire);
  encode_element(out, shape.value().wire, value, shape.value().shape,
                 time_format_of(shape.value(), TimeFormat::kIso8601), {}, {});
  close_tag(out, element);
}

void encode_content(std::string& out, const Value& value, const Shape* shape, TimeFormat format) {
  if (const auto* structure = value.as_structure()) {
    if (shape && shape->type == Type::kMap) {
      for (const auto& [key, child] : *structure) encode_entry(out, "entry", key, child, *shape);
    } else {
      encode_xml_members(out, value, shape);
    }
  } else if (const auto* list = value.as_list()) {
    const Member* element = shape && shape->type == Type::kList ? &shape->element() : nullptr;
    for (const auto& one : *list) {
      encode_element(out, element && element->has_wire_name ? element->wire : "member", one,
                     element ? element->shape : nullptr,
                     element ? time_format_of(*element, TimeFormat::kIso8601) : TimeFormat::kIso8601, {}, {});
    }
  } else if (const auto* text = value.as_string()) {
    append_xml_text(out, *text);
  } else {
    append_scalar(out, value, format);
  }
}

void encode_element(std::string& out, std::string_view element, const Value& value, const Shape* shape,
                    TimeFormat format, std::string_view xml_namespace, std::string_view prefix) {
  open_tag(out, element, xml_namespace, prefix, value, shape);
  encode_content(out, value, shape, format);
  close_tag(out, element);
}

void encode_member(std::string& out, const Member& member, const Value& value) {
  const bool flattened = member.flattened || member.shape->flattened;
  const auto format = time_format_of(member, TimeFormat::kIso8601);
  if (const auto* list = value.as_list(); list && flattened && member.shape->type == Type::kList) {
    const Member& element = member.shape->element();
    const auto name = element.has_wire_name ? element.wire : member.wire;
    for (const auto& one : *list) encode_element(out, name, one, element.shape, format, {}, {});
  } else if (const auto* entries = value.as_structure(); entries && flattened && member.shape->type == Type::kMap) {
    for (const auto& [key, child] : *entries) encode_entry(out, member.wire, key, child, *member.shape);
  } else {
    const bool of_shape = member.xml_namespace.empty();
    encode_element(out, member.wire, value, member.shape, format,
                   of_shape ? member.shape->xml_namespace : member.xml_namespace,
                   of_shape ? member.shape->xml_prefix : member.xml_prefix);
  }
}

}  // namespace

void append_xml_text(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const auto length = utf8_length(text);
    if (length != 1) {
      out += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c < 0x20 && c != '\t' && c != '\n') {
      fmt::format_to(std::back_inserter(out), "&#x{:X};", c);
    } else {
      out += static_cast<char>(c);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void encode_xml_members(std::string& out, const Value& structure, const Shape* shape) {
  for (const auto& [name, child] : structure.members()) {
    if (child.is_null()) continue;
    const Member* member = shape && shape->type == Type::kStructure ? shape->find(name) : nullptr;
    if (!member) {
      encode_element(out, name, child, nullptr, TimeFormat::kIso8601, {}, {});
    } else if (member->location == Location::kBody && !member->xml_attribute) {
      encode_member(out, *member, child);
    }
  }
}

void encode_xml(std::string& out, std::string_view element, const Value& value, const Shape* shape,
                std::string_view xml_namespace) {
  encode_element(out, element, value, shape, TimeFormat::kIso8601, xml_namespace, {});
}

}  // namespace securebase::aws
