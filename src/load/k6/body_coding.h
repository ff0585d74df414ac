// Content codings of bodies (RFC 9110 §8.4.1): gzip, deflate, br, zstd. What comes out is at most 256 MiB.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::k6 {

// `codings` as the Content-Encoding field has them, in the order in which they were applied. Unknown ones are left as
// they are, as k6 does.
Result<std::string> decode_body(std::string_view codings, std::string bytes);
// Applies them in that order; `codings` as k6's `compression` parameter has them: "gzip, br".
Result<std::string> encode_body(std::string_view codings, std::string bytes);

}  // namespace securebase::k6
