// zstd as the store uses it: frames with their checksum, so that rotten bytes are noticed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::logs {

// Bytes to be compressed, and where those of another kind begin: each kind is compressed by what is frequent in it.
struct MixedBytes : std::string {
  std::vector<std::size_t> cuts;
  void cut() { cuts.push_back(size()); }
};

std::string compress(std::string_view bytes, std::span<const std::size_t> cuts = {});
inline std::string compress(const MixedBytes& bytes) { return compress(bytes, bytes.cuts); }
// kMalformed: not a frame, not of that size, or its checksum is wrong. kLimit: there is no memory to read it now, which
// says nothing of the bytes. `into` is replaced.
Result<Done> decompress(std::string_view bytes, std::size_t raw_bytes, std::string& into);

// What an error code of zstd means, as above.
Error decompression_error(std::size_t code);

}  // namespace securebase::logs
