#include "monitoring/quick_put.h"

#include "monitoring/api_metrics.h"

namespace securebase::monitoring {

std::optional<aws::Outcome> quick_put(Store& store, ReadPut read, std::string_view body, base::TimePoint now) {
  std::optional<PutBatch> batch;
  std::uint64_t generation = 0;
  {
    const auto known = store.known();
    generation = known.generation();
    batch = read(body, now, known.spellings());
    if (!batch) return std::nullopt;
    auto put = put_batch(store, *batch);
    if (!put) return put;
  }
  store.learn(*batch, generation);
  return aws::Outcome(aws::Answer{});
}

}  // namespace securebase::monitoring
