// A hash table from 64-bit keys to small numbers in one flat array: what grouping does for every row.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace securebase::logs::insights {

// A mixer (MurmurHash3's finaliser): every bit of the key reaches every bit of the result.
inline std::uint64_t mixed(std::uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdULL;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53ULL;
  return key ^ key >> 33;
}

class FlatIndex {
 public:
  // The value of `key`, and whether it is new: then it is `fresh` from now on.
  std::pair<std::uint32_t, bool> insert(std::uint64_t key, std::uint32_t fresh) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    for (std::size_t at = mixed(key) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (!slot.used) {
        slot = {key, fresh, true};
        ++size_;
        return {fresh, true};
      }
      if (slot.key == key) return {slot.value, false};
    }
  }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }
  template <class Visit>
  void each_key(Visit visit) const {
    for (const auto& slot : slots_) {
      if (slot.used) visit(slot.key);
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t value = 0;
    bool used = false;
  };
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    size_ = 0;
    for (const auto& slot : old) {
      if (slot.used) insert(slot.key, slot.value);
    }
  }
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace securebase::logs::insights
