// The messages of a block as what they have in common and what they differ in: a template ("REPORT RequestId:
// *\tDuration:
// * ms...") and its variables, which are the runs that hold a digit. A variable that is also a field of its event is
// stored there only; numbers are stored as numbers. A message that is like no other stays as it is. What is read is,
// byte by byte, what was written.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/column.h"

namespace securebase::logs {

// A field all of whose values are texts, by row; "" where a row has none.
struct TextField {
  std::string_view name;
  std::vector<std::string_view> values;
};

EncodedColumn encode_messages(std::span<const std::string_view> messages, std::span<const TextField> fields);

// `field` gives a column of the same block. kMalformed: these are no messages, or a field is not what it was.
Result<Done> decode_messages(std::string_view bytes, std::size_t raw_bytes, std::size_t rows,
                             const std::function<Result<const Column*>(std::string_view name)>& field,
                             DecodedColumn& into);

}  // namespace securebase::logs
