// Blocks and counts as the disk gives them back.
#include "traces/counts/counts.h"
#include "traces/record/record.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto records = traces::decode(bytes)) {
    check(traces::decode(traces::encode(*records)).has_value(), "a block is read as it was written");
  }
  if (const auto counts = traces::Counts::decode(bytes)) {
    check(traces::Counts::decode(counts->encode()).has_value(), "counts are read as they were written");
  }
  return 0;
}
