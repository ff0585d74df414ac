#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "monitoring/metrics/statistic.h"

using namespace securebase::monitoring;

// Whatever the text, it is a statistic that gives a finite number, or an error that names it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statistic = parse_statistic(text);
  if (!statistic) {
    if (statistic.error().message.empty()) std::abort();
    return 0;
  }
  Summary summary;
  for (const double value : {-3.0, 0.0, 0.25, 7.0, 7.5, 1e6}) summary.add(value, 3);
  Accumulator samples;
  samples.add(summary);
  const auto value = evaluate(*statistic, samples);
  if (value && !(*value > -1e300 && *value < 1e300)) std::abort();
  return 0;
}
