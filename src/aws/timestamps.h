// Times in the three ways in which AWS protocols write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/model.h"
#include "base/clock.h"

namespace securebase::aws {

// "2026-11-24T06:57:25Z" (also with a fraction, or an offset for the Z), "Tue, 24 Nov 2026 06:57:25 GMT", or seconds
// since 1970 with or without a fraction. Years 1 to 9999.
std::optional<base::TimePoint> parse_time(std::string_view text);
std::optional<base::TimePoint> time_from_seconds(double seconds);

// kUnix: seconds, with a fraction only where there is one. kIso8601: with milliseconds only where there are any.
std::string format_time(base::TimePoint time, TimeFormat format);
double seconds_of(base::TimePoint time);

// "20261124T065725Z", as SigV4 writes it.
std::optional<base::TimePoint> parse_compact_time(std::string_view text);
std::string format_compact_time(base::TimePoint time);

}  // namespace securebase::aws
