// Runs of slots: bringing them into order, and to coarser levels.
#pragma once

#include <cstdint>
#include <vector>

#include "monitoring/metrics/slot_codec.h"

namespace securebase::monitoring {

// Sorts, and adds up the slots that are there more than once.
void combine(std::vector<Slot>& slots);

// What a level with slots `factor` times as long holds of the same samples. `slots` are combined.
std::vector<Slot> roll_up(const std::vector<Slot>& slots, std::int64_t factor);

}  // namespace securebase::monitoring
