#include <cstdlib>

#include "edge/range.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::edge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::uint64_t length : {0ULL, 1ULL, 1000ULL, 18446744073709551615ULL}) {
    const auto ranges = parse_range(text, length);
    if (!ranges) continue;
    for (const auto& range : *ranges) {
      if (range.first > range.last || range.last >= length) std::abort();
    }
  }
  return 0;
}
