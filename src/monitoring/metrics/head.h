// The samples of one series that are in no segment yet. They arrive in `pending`, which is what the ingest log has not
// seen; commit() moves them on: to the log, and into `open`, the slot that still fills. What lies behind that is
// `sealed`, as bytes (slot_codec.h); and when a flush begins, all becomes `frozen`, until its segments are written.
//
// A slot may be there several times, when samples came out of order: summaries add up, so whoever reads adds them.
// Guarded by the lock of the shard it lies in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "monitoring/metrics/slot_codec.h"

namespace securebase::monitoring {

class Head {
 public:
  // Whether pending samples lie in other slots than `slot`: commit() before add().
  bool must_commit(std::int64_t slot) const { return pending_.summary.count > 0 && pending_.number != slot; }
  bool has_pending() const { return pending_.summary.count > 0; }
  void add(std::int64_t slot, const Summary& summary);
  void add(std::int64_t slot, double value, std::uint64_t times) {
    pending_.number = slot;
    pending_.summary.add(value, times);
  }
  // What is pending, to be written to the log before commit().
  const Slot& pending() const { return pending_; }
  void commit();
  // At the start: what the log held.
  void restore(const Slot& slot);

  // Asks for the memory that add() and commit() are about to write.
  void prefetch() const {
    __builtin_prefetch(sealed_.data() + sealed_.size(), 1);
    __builtin_prefetch(pending_.summary.buckets.data(), 1);
    __builtin_prefetch(open_.summary.buckets.data(), 1);
  }

  void freeze();
  void thaw() { std::string().swap(frozen_); }  // its segments count now

  bool empty() const { return !has_pending() && open_.summary.count == 0 && sealed_.empty() && frozen_.empty(); }
  std::size_t bytes() const {
    const std::size_t buckets = pending_.summary.buckets.size() + open_.summary.buckets.size();
    return sealed_.capacity() + frozen_.capacity() + buckets * sizeof(Summary::Bucket);
  }

  enum class Part { kAll, kWithoutFrozen, kFrozenOnly };
  // Appends the slots from `from` to before `to`, in the order in which they came.
  void read(Part part, std::int64_t from, std::int64_t to, std::vector<Slot>& slots) const;

 private:
  void commit(Slot& slot);
  void seal();

  Slot pending_;
  Slot open_;
  std::string sealed_;
  std::int64_t sealed_last_ = 0;
  std::string frozen_;
};

}  // namespace securebase::monitoring
