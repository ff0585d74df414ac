#include <cstddef>
#include <cstdint>
#include <string_view>

#include "monitoring/otlp/intake.h"

using namespace securebase::monitoring;

// The first byte chooses the encoding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto request = data[0] == '{' ? otlp::parse_json(std::string_view(reinterpret_cast<const char*>(data), size))
                                      : otlp::parse_protobuf(body);
  if (!request) return 0;
  for (const auto& resource : *request) {
    for (const auto& metric : resource.metrics) {
      for (const auto& point : metric.points) (void)otlp::summary_of(point, metric.kind);
    }
  }
  return 0;
}
