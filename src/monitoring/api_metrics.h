// PutMetricData, GetMetricStatistics and ListMetrics over a store.
#pragma once

#include "aws/aws.h"
#include "monitoring/metrics/store.h"

namespace securebase::monitoring {

// Any thread but a worker's.
aws::Outcome put_metric_data(Store& store, const aws::Call& call);
// Of what was read quickly (quick_put.h).
aws::Outcome put_batch(Store& store, PutBatch& batch);
aws::Outcome get_metric_statistics(const Store& store, const aws::Call& call);
aws::Outcome list_metrics(const Store& store, const aws::Call& call);

// Limits of the CloudWatch API reference.
inline constexpr std::size_t kMostData = 1000;
inline constexpr std::size_t kMostDimensions = 30;
inline constexpr std::size_t kMostValues = 150;
inline constexpr std::size_t kLongestName = 255;
inline constexpr std::size_t kLongestDimensionValue = 1024;
inline constexpr double kLargestValue = 0x1p360;
inline constexpr double kLargestCount = 9e15;

// Printable ASCII that does not begin with a colon and is not all blanks (API reference, Dimension and Namespace).
bool is_name(std::string_view text, std::size_t longest);

// Namespace, name and dimensions of an input ("MetricName", "Dimensions"). A Fault names what is wrong; `where` goes in
// front of it ("MetricData.member.1.").
Result<MetricId, aws::Fault> metric_of_input(const aws::Value& input, std::string_view name_space,
                                             const std::string& where);

}  // namespace securebase::monitoring
