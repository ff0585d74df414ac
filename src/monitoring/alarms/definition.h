// Names and JSON of the parts of an alarm, as CloudWatch's API writes them.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "monitoring/alarms.h"

namespace securebase::monitoring {

std::string_view to_string(Comparison comparison);
std::string_view to_string(MissingData missing);
std::optional<Comparison> comparison_from(std::string_view text);
std::optional<MissingData> missing_from(std::string_view text);

base::Json to_json(const MetricStat& stat);
base::Json to_json(const DataQuery& query);
Result<MetricStat> metric_stat_from(const base::Json& json);
Result<DataQuery> data_query_from(const base::Json& json);

base::Json texts(const std::vector<std::string>& list);  // an array of them

inline Error malformed(std::string message) { return {Errc::kMalformed, std::move(message)}; }

// 1, 5, 10, 20, 30 or a multiple of 60, up to a day.
Result<Done> valid_period(std::chrono::seconds period);

inline bool is_band(Comparison comparison) {
  return comparison >= Comparison::kLessThanLowerOrGreaterThanUpperThreshold;
}

// A name, or the name in "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME".
std::string_view name_in_arn(std::string_view name_or_arn);

}  // namespace securebase::monitoring
