#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "lambda/resp.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string buffer(reinterpret_cast<const char*>(data), size);
  while (true) {
    const std::size_t before = buffer.size();
    auto reply = lambda::take_reply(buffer);
    if (!reply || !*reply) return 0;
    check(buffer.size() < before, "a reply takes bytes");
  }
}
