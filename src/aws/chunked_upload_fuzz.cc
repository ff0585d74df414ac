// aws-chunked bodies: the first byte says how the rest is cut, which must not matter.
#include <cstddef>
#include <cstdint>
#include <string>

#include "aws/chunked_upload.h"
#include "base/check.h"

namespace {

using securebase::aws::ChunkedUploadParser;

// What the events say, in one text.
std::string events_of(std::string_view bytes, std::size_t piece) {
  ChunkedUploadParser parser;
  std::string seen, data;
  while (!bytes.empty()) {
    auto input = bytes.substr(0, piece);
    bytes.remove_prefix(input.size());
    for (;;) {
      const auto event = parser.next(input);
      if (!event) return seen + data + "!";
      if (*event == ChunkedUploadParser::Event::kNeedMore) break;
      if (*event == ChunkedUploadParser::Event::kData) {
        data += parser.data();
        continue;
      }
      seen += data + "|" + parser.chunk_signature();
      data.clear();
      if (*event == ChunkedUploadParser::Event::kEnds) {
        for (const auto& trailer : parser.trailers()) seen += ";" + trailer.name + "=" + trailer.value;
        seen += "." + parser.trailer_signature();
      }
    }
  }
  return seen + data;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  securebase::check(events_of(bytes, 1 + data[0] % 16) == events_of(bytes, size), "cuts do not matter");
  return 0;
}
