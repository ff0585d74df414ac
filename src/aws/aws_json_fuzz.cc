// JSON inputs by their shapes: what is accepted can be written, and is accepted again.
#include <cstddef>
#include <cstdint>

#include "aws/json_codec.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& [service, operation] : {std::pair("dynamodb", "PutItem"), std::pair("logs", "PutLogEvents"),
                                           std::pair("secretsmanager", "CreateSecret")}) {
    const auto& shape = *aws::find_service(service)->find(operation)->input;
    auto value = aws::decode_json(text, shape);
    if (!value) continue;
    std::string out;
    aws::encode_json(out, *value, &shape);
    check(aws::decode_json(out, shape).has_value(), "what was written is read");
  }
  return 0;
}
