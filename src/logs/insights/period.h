// Periods, as bin() and datefloor() take them, and where in time they begin and end. UTC.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "logs/insights/syntax.h"

namespace securebase::logs::insights {

// "300s", "5m", "1hour", "2weeks", "1mo". Any number is taken: 300s is 5m. kMalformed says which units there are.
Result<Period> parse_period(std::string_view text);

// Milliseconds since the epoch, of the period's beginning at or before `milliseconds`.
double floor_to(double milliseconds, const Period& period);
// The first beginning of a period at or after.
double ceil_to(double milliseconds, const Period& period);

}  // namespace securebase::logs::insights
