#include "rum/beacon.h"

#include <cstdlib>

#include "rum/page.h"

// What is believed is within bounds, and pages are pages of themselves.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::rum;
  const auto beacon = parse_beacon({reinterpret_cast<const char*>(data), size});
  if (!beacon) return 0;
  if (beacon->path.empty() || beacon->path.size() > kPathBytes || beacon->traces.size() > kTraces) std::abort();
  if (beacon->timings.load && !(*beacon->timings.load >= 0 && *beacon->timings.load <= kLongestMilliseconds)) {
    std::abort();
  }
  const auto page = page_of(beacon->path);
  if (page.empty() || page.size() > kPathBytes || page_of(page) != page) std::abort();
  return 0;
}
