// Functions are foreign code: whatever they answer is refused or becomes a response that cannot write header lines.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "gateway/function_response.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using securebase::gateway::FunctionResponse;
  const auto got = FunctionResponse::parse({reinterpret_cast<const char*>(data), size});
  if (!got) return 0;
  securebase::check(got->status >= 200 && got->status <= 599, "a status of a final response");
  for (const auto& field : got->headers.fields()) {
    securebase::check(field.value.find_first_of("\r\n") == std::string_view::npos, "a value is one line");
    securebase::check(!field.name.empty(), "a field has a name");
  }
  return 0;
}
