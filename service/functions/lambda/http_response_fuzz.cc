#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "lambda/http_response.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string buffer(reinterpret_cast<const char*>(data), size);
  while (true) {
    const std::size_t before = buffer.size();
    auto response = lambda::take_response(buffer);
    if (!response || !*response) return 0;
    check(buffer.size() < before, "a response takes bytes");
  }
}
