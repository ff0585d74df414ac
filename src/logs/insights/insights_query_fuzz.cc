// The language of Insights: no text may crash, hang or grow without bound.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "logs/insights/syntax.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs::insights;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_query(text).has_value());
  return 0;
}
