#include <cstdint>

#include "cache/client.h"

// However the bytes are cut, the same replies come out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (;;) {
    const std::size_t before = bytes.size();
    auto reply = cache::take_reply(bytes);
    if (!reply || !*reply) return 0;
    check(bytes.size() < before, "a reply takes bytes");
  }
}
