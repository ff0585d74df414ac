// zstd as the store uses it: frames with their checksum, so that rotten bytes are noticed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::logs {

std::string compress(std::string_view bytes);
// kMalformed: not a frame, not of that size, or its checksum is wrong. `into` is replaced.
Result<Done> decompress(std::string_view bytes, std::size_t raw_bytes, std::string& into);

}  // namespace securebase::logs
