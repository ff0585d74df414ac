#include <cstdint>

#include "cache/sampler.h"

// Whatever stands there, it is read to its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::cache;
  static const CommandKinds kKinds = {{"get"}, {"set"}};
  parse_info(std::string_view(reinterpret_cast<const char*>(data), size), kKinds);
  return 0;
}
