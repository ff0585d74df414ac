#include "monitoring/api_metrics.h"
#include "monitoring/metrics/engine.h"

namespace securebase::monitoring {

void Metrics::add_operations(aws::Operations& operations) {
  Store& store = *engine_->store;
  operations.add("cloudwatch", "PutMetricData",
                 [&store](const aws::Call& call) { return put_metric_data(store, call); });
  operations.add("cloudwatch", "GetMetricStatistics",
                 [&store](const aws::Call& call) { return get_metric_statistics(store, call); });
  operations.add("cloudwatch", "ListMetrics", [&store](const aws::Call& call) { return list_metrics(store, call); });
}

}  // namespace securebase::monitoring
