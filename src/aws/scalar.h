// Scalars as text: in query parameters, headers, paths and XML.
#pragma once

#include <string>
#include <string_view>

#include "aws/complaint.h"
#include "aws/model.h"
#include "aws/value.h"

namespace securebase::aws {

// Reads a scalar of that shape. `path` names it in the complaint ("metricData.member.1.value").
Result<Value, Complaint> value_from_text(const Shape& shape, std::string_view text, std::string_view path);

// The time format of a member: its own, its shape's, else `usual`.
inline TimeFormat time_format_of(const Member& member, TimeFormat usual) {
  if (member.time_format != TimeFormat::kByProtocol) return member.time_format;
  return member.shape->time_format != TimeFormat::kByProtocol ? member.shape->time_format : usual;
}

// Appends; structures and lists, which have no place there, as nothing.
void append_scalar(std::string& out, const Value& value, TimeFormat format);

// What a scalar looks like when no shape says: text.
bool is_scalar(const Value& value);

void append_number(std::string& out, double number);

}  // namespace securebase::aws
