// What a metric filter and a subscription filter must be, whoever puts them: a client or a stack.
#pragma once

#include <string_view>

#include "base/result.h"
#include "logs/store/settings.h"

namespace securebase::logs {

inline constexpr std::size_t kFiltersOfGroup = 100;  // CloudWatch's quotas
inline constexpr std::size_t kSubscriptionsOfGroup = 2;

Result<Done> check_metric_filter(const MetricFilter& filter);
Result<Done> check_subscription_filter(const SubscriptionFilter& filter, std::string_view group);

}  // namespace securebase::logs
