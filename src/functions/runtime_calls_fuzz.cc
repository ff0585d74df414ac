// What an instance's runtime says of its calls.
#include "functions/runtime_calls.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  securebase::functions::parse_runtime_calls({reinterpret_cast<const char*>(data), size});
  return 0;
}
