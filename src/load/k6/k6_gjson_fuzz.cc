// A path, a zero byte, a JSON text.
#include <cstdint>

#include "k6/gjson.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto zero = all.find('\0');
  if (zero == std::string_view::npos || size > 4096) return 0;
  const auto value = securebase::base::Json::parse(all.substr(zero + 1));
  if (value) (void)securebase::k6::gjson(*value, all.substr(0, zero)).has_value();
  return 0;
}
