// OTLP's traces in both encodings: the first byte says which.
#include "traces/otlp/spans.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto spans = data[0] % 2 == 0 ? traces::otlp::read_json(body) : traces::otlp::read_protobuf(body);
  if (!spans) return 0;
  traces::Records records;
  const base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  for (const auto& span : *spans) {
    static_cast<void>(traces::otlp::has_ids(span));
    auto text = traces::otlp::document_of(span).dump();
    if (const auto parsed = traces::parse_segment(text, now)) {
      records.documents.push_back({parsed->trace, traces::WallTime{now}, std::move(text)});
    }
  }
  // What goes out again is read again.
  const auto again = traces::otlp::read_protobuf(traces::otlp::write_protobuf(records));
  if (!again || again->size() > records.documents.size()) __builtin_trap();
  return 0;
}
