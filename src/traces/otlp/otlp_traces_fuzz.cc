// OTLP's traces in both encodings: the first byte says which.
#include "traces/otlp/spans.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto spans = data[0] % 2 == 0 ? traces::otlp::read_json(body) : traces::otlp::read_protobuf(body);
  if (!spans) return 0;
  for (const auto& span : *spans) {
    const auto text = traces::otlp::document_of(span).dump();
    static_cast<void>(traces::parse_segment(text, base::TimePoint{std::chrono::seconds{1'700'000'000}}));
  }
  return 0;
}
