// PutMetricData, GetMetricStatistics and ListMetrics over a store.
#pragma once

#include "aws/aws.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

// Any thread but a worker's.
aws::Outcome put_metric_data(Store& store, const aws::Call& call);
aws::Outcome get_metric_statistics(const Store& store, const aws::Call& call);
aws::Outcome list_metrics(const Store& store, const aws::Call& call);

// Namespace, name and dimensions of an input ("MetricName", "Dimensions"). A Fault names what is wrong; `where` goes in
// front of it ("MetricData.member.1.").
Result<MetricId, aws::Fault> metric_of_input(const aws::Value& input, std::string_view name_space,
                                             const std::string& where);

}  // namespace securebase::monitoring
