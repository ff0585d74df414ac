#include "monitoring/api_metrics.h"
#include "monitoring/metrics/engine.h"
#include "monitoring/quick_put.h"

namespace securebase::monitoring {

void Metrics::add_operations(aws::Operations& operations) {
  Store& store = *engine_->store;
  operations.add("cloudwatch", "PutMetricData",
                 [&store](const aws::Call& call) { return put_metric_data(store, call); });
  operations.add_quick("cloudwatch", "PutMetricData", aws::QuickBody::kForm,
                       [&store](const aws::Call& call, std::string_view form) {
                         return quick_put(store, read_form_put, form, call.now);
                       });
  operations.add_quick("cloudwatch", "PutMetricData", aws::QuickBody::kJson,
                       [&store](const aws::Call& call, std::string_view json) {
                         return quick_put(store, read_json_put, json, call.now);
                       });
  operations.add_quick("cloudwatch", "PutMetricData", aws::QuickBody::kCbor,
                       [&store](const aws::Call& call, std::string_view cbor) {
                         return quick_put(store, read_cbor_put, cbor, call.now);
                       });
  operations.add("cloudwatch", "GetMetricStatistics",
                 [&store](const aws::Call& call) { return get_metric_statistics(store, call); });
  operations.add("cloudwatch", "ListMetrics", [&store](const aws::Call& call) { return list_metrics(store, call); });
}

}  // namespace securebase::monitoring
