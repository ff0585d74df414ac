// Forms, and the inputs that they make of the query protocol's deepest shapes.
#include <cstddef>
#include <cstdint>

#include "aws/query_codec.h"
#include "aws/xml_codec.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& [service, operation] : {std::pair("cloudwatch", "PutMetricData"), std::pair("sns", "CreateTopic"),
                                           std::pair("rds", "DescribeDBInstances")}) {
    auto form = aws::parse_form(text);
    if (!form) return 0;
    const auto& shape = *aws::find_service(service)->find(operation)->input;
    auto value = aws::decode_query(std::move(*form), shape);
    if (!value) continue;
    std::string out;
    aws::encode_xml(out, "Result", *value, &shape);
  }
  return 0;
}
