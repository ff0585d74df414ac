// Values as JSON and back, by their shapes: json 1.0 and 1.1, and the bodies of rest-json.
#pragma once

#include <string>
#include <string_view>

#include "aws/complaint.h"
#include "aws/model.h"
#include "aws/value.h"

namespace securebase::aws {

// An empty body is an empty structure. Members that the shape does not know come along as they are.
Result<Value, Complaint> decode_json(std::string_view body, const Shape& shape);

// Appends. Of a structure at the top only what travels in the body; members that the shape does not know are written by
// what they are. A null shape: all by what it is.
void encode_json(std::string& out, const Value& value, const Shape* shape);

}  // namespace securebase::aws
