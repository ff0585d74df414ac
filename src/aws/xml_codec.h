// Values as XML and back, by their shapes: the bodies of rest-xml, and what the query protocol answers.
#pragma once

#include <string>
#include <string_view>

#include "aws/complaint.h"
#include "aws/model.h"
#include "aws/value.h"

namespace securebase::aws {

// A whole document whose root is a value of that shape. `root`, if not empty, is how the root has to be called. An
// empty body is an empty structure. Elements that the shape does not know come along, as text or as structures.
// Documents of more than 8 MiB or 64 levels, and such with a DTD, are refused before they are parsed.
Result<Value, Complaint> decode_xml(std::string_view body, const Shape& shape, std::string_view root);

// Appends <element>value</element>, with `xml_namespace` on it where that is not empty. Of a structure only what
// travels in the body. A null shape: all by what it is.
void encode_xml(std::string& out, std::string_view element, const Value& value, const Shape* shape,
                std::string_view xml_namespace = {});
// The members of a structure alone, without an element around them.
void encode_xml_members(std::string& out, const Value& structure, const Shape* shape);

// Text with its special characters as entities; bytes that are no UTF-8 as U+FFFD.
void append_xml_text(std::string& out, std::string_view text);

}  // namespace securebase::aws
