// Samples on their way into the store, as compactly as they can be had: keys and values of all of them lie in two
// pieces of memory, however many metrics there are, and a series that the store knows by its spelling has no key.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "monitoring/metrics/known_series.h"
#include "monitoring/metrics/metric_key.h"

namespace securebase::monitoring {

enum class Resolution { kSecond, kMinute };

struct PutBatch {
  // Samples of one metric at one time.
  struct Datum {
    SeriesRef series;              // none: by its key
    std::uint32_t key_end = 0;     // in `keys`; it begins where the one before ends
    std::uint32_t values_end = 0;  // in `values`, alike
    UnitNumber unit = 0;
    Resolution resolution = Resolution::kMinute;
    base::TimePoint time;
  };
  std::string keys;                                      // append_metric_key(), one after the other
  std::vector<std::pair<double, std::uint64_t>> values;  // and how often each
  std::vector<Datum> data;

  // How data with a key were spelled, by their place in `data`; views into the request, or into `texts`. May be empty.
  std::vector<std::pair<std::uint32_t, KnownSeries::Spelling>> spellings;
  std::vector<char> texts;
};

}  // namespace securebase::monitoring
