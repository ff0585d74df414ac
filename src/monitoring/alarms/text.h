// Times and lengths as CloudWatch writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace securebase::monitoring {

std::string short_time(base::TimePoint time);  // "24/01/26 10:05:00"
std::string json_time(base::TimePoint time);   // "2026-01-24T10:05:00.000+0000"
std::string long_time(base::TimePoint time);   // "Saturday 24 January, 2026 10:05:00 UTC"
// As the journal keeps them: microseconds since the epoch.
base::Json json_of(base::TimePoint time);
base::TimePoint time_from(const base::Json& json);
// What CloudWatch takes of a history item (DescribeAlarmHistory, "AlarmHistoryItem").
inline constexpr std::size_t kHistoryData = 4095;
inline constexpr std::size_t kHistorySummary = 255;
// At most so many bytes, never a part of a character.
std::string cut(std::string text, std::size_t bytes);

}  // namespace securebase::monitoring
