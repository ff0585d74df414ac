#include "monitoring/metrics/head.h"

#include <utility>

namespace securebase::monitoring {

void Head::add(std::int64_t slot, const Summary& summary) {
  pending_.number = slot;
  pending_.summary.add(summary);
}

void Head::commit() { commit(pending_); }

void Head::restore(const Slot& slot) {
  Slot copy = slot;
  commit(copy);
}

void Head::commit(Slot& slot) {
  if (slot.summary.count == 0) return;
  if (open_.summary.count > 0 && open_.number == slot.number) {
    open_.summary.add(slot.summary);
  } else {
    seal();
    std::swap(open_, slot);
  }
  slot.summary.clear();
}

void Head::seal() {
  if (open_.summary.count == 0) return;
  put_slot(open_, sealed_last_, sealed_, sealed_);
  sealed_last_ = open_.number;
  open_.summary.clear();
}

void Head::freeze() {
  commit();
  seal();
  frozen_ = std::exchange(sealed_, {});
  sealed_last_ = 0;
  // A busy slot's memory is not kept for a quiet series.
  open_.summary.buckets.shrink_to_fit();
  pending_.summary.buckets.shrink_to_fit();
}

void Head::read(Part part, std::int64_t from, std::int64_t to, std::vector<Slot>& slots) const {
  const auto read_bytes = [&](const std::string& bytes) {
    Cursor in(bytes);
    Slot slot;
    for (std::int64_t before = 0; !in.at_end() && get_slot(in, in, before, Detail::kHistograms, slot);) {
      before = slot.number;
      if (slot.number >= from && slot.number < to) slots.push_back(std::move(slot));
    }
  };
  if (part != Part::kWithoutFrozen) read_bytes(frozen_);
  if (part == Part::kFrozenOnly) return;
  read_bytes(sealed_);
  for (const Slot* slot : {&open_, &pending_}) {
    if (slot->summary.count > 0 && slot->number >= from && slot->number < to) slots.push_back(*slot);
  }
}

}  // namespace securebase::monitoring
