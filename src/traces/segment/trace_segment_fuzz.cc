// Segment documents, as datagrams bring them: a trace of them is put together and counted without harm.
#include "traces/daemon/datagram.h"
#include "traces/segment/graph.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  traces::Records records;
  traces::TraceId id;
  // Documents of one trace, separated by zeros.
  for (std::size_t begin = 0; begin <= input.size();) {
    const auto end = std::min(input.find('\0', begin), input.size());
    const auto piece = input.substr(begin, end - begin);
    begin = end + 1;
    const auto document = traces::document_of(piece);
    const auto text = document ? *document : piece;
    const auto parsed = traces::parse_segment(text, now);
    if (!parsed) continue;
    id = parsed->trace;
    records.documents.push_back({id, traces::WallTime{now}, std::string(text)});
  }
  const auto trace = traces::assemble(id, records);
  traces::Counts counts;
  traces::count_segments(
      trace.segments, [](const std::string&) { return std::optional<traces::Node>(); }, counts);
  const auto again = traces::Counts::decode(counts.encode());
  check(again.has_value(), "counts are read as they were written");
  for (const auto& segment : trace.segments) static_cast<void>(traces::to_json(segment, &id).dump());
  return 0;
}
