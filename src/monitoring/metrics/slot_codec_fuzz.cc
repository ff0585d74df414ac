#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "monitoring/metrics/accumulator.h"
#include "monitoring/metrics/slot_codec.h"

using namespace securebase::monitoring;

// Whatever the bytes, slots that are read can be added up and written again, and are then read as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Cursor in(std::string_view(reinterpret_cast<const char*>(data), size));
  Slot slot;
  Accumulator samples;
  while (!in.at_end() && get_slot(in, in, 0, Detail::kHistograms, slot)) {
    samples.add(slot.summary);
    std::string bytes;
    put_slot(slot, 0, bytes, bytes);
    Cursor again(bytes);
    Slot read;
    if (!get_slot(again, again, 0, Detail::kHistograms, read) || !again.at_end()) std::abort();
    if (read.number != slot.number || read.summary.buckets != slot.summary.buckets) std::abort();
  }
  return 0;
}
