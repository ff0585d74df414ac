#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "monitoring/metrics/metric_key.h"
#include "monitoring/quick_put.h"

using namespace securebase::monitoring;

// Whatever the bytes, what is taken is what the store asks of a batch.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const securebase::base::TimePoint now{std::chrono::seconds{1'700'000'000}};
  const auto batch = read_put_metric_data(std::string_view(reinterpret_cast<const char*>(data), size), now);
  if (!batch) return 0;
  std::size_t key = 0;
  std::size_t value = 0;
  for (const auto& datum : batch->data) {
    if (datum.values_end <= value) std::abort();
    const auto metric = metric_of(std::string_view(batch->keys).substr(key, datum.key_end - key));
    if (!metric || metric->name.empty()) std::abort();
    key = datum.key_end;
    value = datum.values_end;
  }
  if (key != batch->keys.size() || value != batch->values.size()) std::abort();
  return 0;
}
