// CBOR (RFC 8949) as smithy-rpc-v2-cbor uses it: Values and back, by their shapes.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
#pragma once

#include <string>
#include <string_view>

#include "aws/complaint.h"
#include "aws/model.h"
#include "aws/value.h"

namespace securebase::aws {

// One data item and nothing after it, read into what it says of itself. Byte strings are Blobs, tag 1 is a time; other
// tags are skipped, big numbers (tags 2 and 3) refused. At most 64 levels; what an item claims to hold is believed
// only as far as there are bytes.
Result<Value, Complaint> parse_cbor(std::string_view bytes);
// An empty body is an empty structure.
Result<Value, Complaint> decode_cbor(std::string_view bytes, const Shape& shape);

// Appends, in definite lengths and the shortest forms.
void encode_cbor(std::string& out, const Value& value, const Shape* shape);

}  // namespace securebase::aws
