// XML inputs by their shapes.
#include <cstddef>
#include <cstdint>

#include "aws/xml_codec.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& [service, operation] : {std::pair("s3", "DeleteObjects"), std::pair("s3", "PutBucketAcl"),
                                           std::pair("cloudfront", "CreateDistribution")}) {
    const auto& shape = *aws::find_service(service)->find(operation)->input->payload->shape;
    auto value = aws::decode_xml(text, shape, "");
    if (!value) continue;
    std::string out;
    aws::encode_xml(out, "Root", *value, &shape);
  }
  return 0;
}
