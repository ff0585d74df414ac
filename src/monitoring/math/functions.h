// The functions of metric math that need nothing but their arguments. Those that read (SEARCH, METRICS,
// ANOMALY_DETECTION_BAND) or need the window (FILL, TIME_SERIES) are evaluate.cc's.
#pragma once

#include <string_view>

#include "monitoring/math/syntax.h"
#include "monitoring/math/value.h"

namespace securebase::monitoring::math {

// A point that is missing beside a present one counts as 0; results that are no finite number (a division by zero, the
// logarithm of 0) are left out. Of the types, check() has made sure.
Value apply(Operator op, const Value& left, const Value& right);
Value negate(const Value& value);

// ABS CEIL FLOOR LOG LOG10, and of whole series DIFF DIFF_TIME RATE RUNNING_SUM.
bool is_map(std::string_view function);
Value map(std::string_view function, const Value& value);

// AVG MAX MIN SUM STDDEV DATAPOINT_COUNT: a number of a series (NaN of an empty one), a series of an array.
bool is_aggregate(std::string_view function);
Value aggregate(std::string_view function, const Value& value);
double aggregate_of(std::string_view function, const std::vector<Datum>& data);

// MINUTE HOUR DAY DATE MONTH YEAR EPOCH, in UTC. DAY is 1 (Monday) to 7.
bool is_time(std::string_view function);
Value time_part(std::string_view function, const TimeSeries& series);

// No point where the condition has none; where it holds and `then` has none 0; where it does not and `otherwise` has
// none (or there is no `otherwise`), no point.
Value choose(const Value& condition, const Value& then, const Value* otherwise);

// By the aggregate of each series; empty ones come last.
Array sort(Array array, std::string_view function, bool ascending, std::size_t most);

}  // namespace securebase::monitoring::math
