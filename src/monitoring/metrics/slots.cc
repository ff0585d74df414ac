#include "monitoring/metrics/slots.h"

#include <algorithm>

#include "monitoring/metrics/level.h"

namespace securebase::monitoring {

void combine(std::vector<Slot>& slots) {
  const auto by_number = [](const Slot& a, const Slot& b) { return a.number < b.number; };
  if (!std::is_sorted(slots.begin(), slots.end(), by_number)) std::stable_sort(slots.begin(), slots.end(), by_number);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < slots.size(); ++i) {
    if (slots[i].number == slots[kept].number) {
      slots[kept].summary.add(slots[i].summary);
    } else if (++kept != i) {
      slots[kept] = std::move(slots[i]);
    }
  }
  if (!slots.empty()) slots.resize(kept + 1);
}

std::vector<Slot> roll_up(const std::vector<Slot>& slots, std::int64_t factor) {
  std::vector<Slot> coarse;
  for (const auto& slot : slots) {
    const std::int64_t number = floor_divide(slot.number, factor);
    if (coarse.empty() || coarse.back().number != number) coarse.push_back({number, {}});
    coarse.back().summary.add(slot.summary);
  }
  return coarse;
}

}  // namespace securebase::monitoring
