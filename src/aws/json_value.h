// Between inputs and outputs of operations and JSON, for rooms whose engines speak JSON.
#pragma once

#include "aws/value.h"
#include "base/json.h"

namespace securebase::aws {

// How a time becomes a number: seconds since 1970.
enum class TimeAs { kWholeSeconds, kSeconds };

// The same tree. Members that are null are left out; a blob is null.
base::Json json_from(const Value& value, TimeAs time);
// The same, back: a time stays a number.
Value value_from(const base::Json& json);

}  // namespace securebase::aws
