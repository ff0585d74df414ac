// The resolutions at which samples are kept, and for how long (CloudWatch user guide, "Metrics retention"). What comes
// in is written at every level at once, so that the end of a level is the removal of files and nothing else.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace securebase::monitoring {

struct Level {
  std::chrono::seconds slot;       // how long one slot is
  std::chrono::seconds retention;  // how old a slot may become
  std::chrono::seconds partition;  // a segment file holds slots of one such span
};

using namespace std::chrono_literals;
inline constexpr std::array<Level, 4> kLevels{{
    {1s, 3h, 1h},
    {60s, 24h * 15, 24h},
    {300s, 24h * 63, 24h * 7},
    {3600s, 24h * 455, 24h * 30},
}};
// Samples with StorageResolution=1, and all of our own, begin at the first level; others at the second.
inline constexpr std::size_t kFineLevel = 0;
inline constexpr std::size_t kStandardLevel = 1;

// Rounds down, before 1970 too.
constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}
inline std::int64_t slot_of(base::TimePoint time, const Level& level) {
  return floor_divide(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(), level.slot.count());
}
inline std::int64_t partition_of(std::int64_t slot, const Level& level) {
  return floor_divide(slot, level.partition / level.slot);
}
// The first slot of a level that is kept at `now`.
inline std::int64_t oldest_slot(base::TimePoint now, const Level& level) {
  return slot_of(now - level.retention, level);
}

}  // namespace securebase::monitoring
