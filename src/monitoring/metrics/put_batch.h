// Samples on their way into the store, as compactly as they can be had: keys and values of all of them lie in two
// pieces of memory, however many metrics there are.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "monitoring/metrics/metric_key.h"

namespace securebase::monitoring {

enum class Resolution { kSecond, kMinute };

struct PutBatch {
  // Samples of one metric at one time.
  struct Datum {
    std::uint32_t key_end = 0;     // in `keys`; it begins where the one before ends
    std::uint32_t values_end = 0;  // in `values`, alike
    UnitNumber unit = 0;
    Resolution resolution = Resolution::kMinute;
    base::TimePoint time;
  };
  std::string keys;                                      // append_metric_key(), one after the other
  std::vector<std::pair<double, std::uint64_t>> values;  // and how often each
  std::vector<Datum> data;
};

}  // namespace securebase::monitoring
