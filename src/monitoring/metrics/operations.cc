#include "monitoring/api_metrics.h"
#include "monitoring/metrics/engine.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

void Metrics::add_operations(aws::Operations& operations) {
  Store& store = *engine_->store;
  operations.add("cloudwatch", "PutMetricData",
                 [&store](const aws::Call& call) { return put_metric_data(store, call); });
  operations.add_quick("cloudwatch", "PutMetricData",
                       [&store](const aws::Call& call, std::string_view cbor) -> std::optional<aws::Outcome> {
                         const auto batch = read_put_metric_data(cbor, call.now);
                         if (!batch) return std::nullopt;
                         return put_batch(store, *batch);
                       });
  operations.add("cloudwatch", "GetMetricStatistics",
                 [&store](const aws::Call& call) { return get_metric_statistics(store, call); });
  operations.add("cloudwatch", "ListMetrics", [&store](const aws::Call& call) { return list_metrics(store, call); });
}

}  // namespace securebase::monitoring
