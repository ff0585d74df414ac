// Times and lengths as CloudWatch writes them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace securebase::monitoring {

// CloudWatch's own limits.
inline constexpr std::size_t kReasonBytes = 1023;      // StateReason
inline constexpr std::size_t kReasonDataBytes = 4000;  // StateReasonData
inline constexpr std::size_t kHistorySummary = 255;    // bytes of HistorySummary
inline constexpr std::size_t kHistoryData = 4095;      // bytes of HistoryData

std::string short_time(base::TimePoint time);  // "24/01/26 10:05:00"
std::string json_time(base::TimePoint time);   // "2026-01-24T10:05:00.000+0000"
std::string long_time(base::TimePoint time);   // "Saturday 24 January, 2026 10:05:00 UTC"
// At most so many bytes, never a part of a character.
std::string cut(std::string text, std::size_t bytes);

}  // namespace securebase::monitoring
