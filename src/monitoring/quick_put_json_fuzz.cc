#include <cstddef>
#include <cstdint>
#include <string_view>

#include "monitoring/quick_put_world.h"

// Two requests. What the first one taught changes nothing in what the second one says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  securebase::monitoring::check_quick_put({reinterpret_cast<const char*>(data), size},
                                          securebase::monitoring::read_json_put);
  return 0;
}
