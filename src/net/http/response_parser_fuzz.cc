// The first byte says how the rest is cut, and the method of the request. The verdict must not depend on the cut.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "net/http/response_parser.h"
#include "net/http/syntax.h"

namespace {

using namespace securebase::http;  // NOLINT

void believe(bool condition) {
  if (!condition) std::abort();
}

std::string read(std::string_view bytes, std::size_t step, Method method) {
  ResponseParser parser({.head_bytes = 2048, .header_count = 20});
  for (std::size_t end = 0; end < bytes.size();) {
    end = step < bytes.size() - end ? end + step : bytes.size();
    const std::string memory(bytes.substr(0, end));
    auto head = parser.parse(memory, method);
    if (!head) return head.error().message;
    if (!*head) continue;
    believe((*head)->status >= 100 && (*head)->status <= 599 && (*head)->status != 101);
    std::string seen = std::to_string((*head)->status) + std::to_string(static_cast<int>((*head)->body)) +
                       std::to_string((*head)->content_length) + ((*head)->keep_alive ? 'k' : 'c') +
                       std::to_string(parser.head_bytes());
    for (const auto& field : (*head)->headers.fields()) {
      believe(is_token(field.name) && is_field_value(field.value) && !is_hop_by_hop(field.name));
      seen.append(field.name).append(field.value);
    }
    return seen;
  }
  return "more";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto method = data[0] & 0x80 ? Method::kHead : Method::kGet;
  believe(read(bytes, 1 + data[0] % 64, method) == read(bytes, SIZE_MAX, method));
  return 0;
}
