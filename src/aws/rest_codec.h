// The members of REST operations that travel outside of the body: in path, query, headers, and the status.
#pragma once

#include "aws/message.h"

namespace securebase::aws {

// Adds to `input` what path, query and headers say.
Result<Done, Complaint> take_bound_members(Value& input, const Target& target, const http::Request& request);

// Writes the members of `output` that travel in headers, and gives the status that a member sets (0: none does).
int put_bound_members(const Value& output, const Shape& shape, http::Headers& headers);

}  // namespace securebase::aws
