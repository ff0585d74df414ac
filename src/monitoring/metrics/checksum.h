// CRC-32 (ISO 3309), for torn and rotten bytes in our own files.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string_view>

namespace securebase::monitoring {

inline std::uint32_t checksum(std::string_view bytes, std::uint32_t before = 0) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace securebase::monitoring
