// Slots of time as bytes. One slot is a head (when, how many, sum, minimum, maximum) and, if its samples differ, its
// histogram; the two may go to one string, one after the other, or to two, so that a reader who wants a sum does not
// pass over histograms.
//
//   head       flags, [slots since the one before, zigzag], [count], numbers
//   flags      bits 0-1: one value | histogram | statistic set;  2: count is 1;  3: the slot follows the one before;
//              4-5: how the value, or minimum and maximum, are written;  6-7: how the sum is
//   numbers    one value: it;  else minimum, maximum, sum.  As whole numbers, thousandths or millionths in zigzag
//              varints where that gives the very same double, else as eight bytes
//   histogram  number of buckets, the first one's key in zigzag, then key differences; each shifted left by one, with
//              the lowest bit set when count - 2 follows, else the count is 1
#pragma once

#include <cstdint>
#include <string>

#include "monitoring/metrics/summary.h"
#include "monitoring/metrics/varint.h"

namespace securebase::monitoring {

struct Slot {
  std::int64_t number = 0;  // its start divided by the level's length
  Summary summary;
  bool operator==(const Slot&) const = default;
};

// `before` is the number of the slot written last; 0 at the beginning of a sequence. `heads` and `histograms` may be
// one string.
void put_slot(const Slot& slot, std::int64_t before, std::string& heads, std::string& histograms);

enum class Detail { kTotals, kHistograms };

// Reads what put_slot wrote. Bytes that are none make the cursor bad and give false; `slot` is then to be dropped.
// kTotals leaves the buckets empty, and moves `heads` only: not for sequences in one string.
bool get_slot(Cursor& heads, Cursor& histograms, std::int64_t before, Detail detail, Slot& slot);

}  // namespace securebase::monitoring
