// A Bloom filter over the trace ids of a block: says of an id that it may be there, or that it is not. Ten bits and
// four places an id: one block of a hundred is read in vain.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "traces/record/record.h"

namespace securebase::traces {

inline constexpr std::size_t kFilterBits = 10;
inline constexpr int kFilterPlaces = 4;

template <class Visit>
void for_each_place(const TraceId& id, std::size_t bits, Visit visit) {
  // Ids of others need not be random in all their bits.
  std::uint64_t first = (id.high ^ (id.low >> 29)) * 0xbf58476d1ce4e5b9ULL;
  std::uint64_t second = (id.low ^ (id.high >> 31)) * 0x94d049bb133111ebULL;
  first ^= first >> 32;
  second = (second ^ (second >> 29)) | 1;
  for (int i = 0; i < kFilterPlaces; ++i, first += second) visit(static_cast<std::size_t>(first % bits));
}

inline std::vector<std::uint64_t> make_id_filter(const std::vector<TraceId>& ids, std::size_t most_words) {
  std::vector<std::uint64_t> words(std::clamp<std::size_t>((ids.size() * kFilterBits + 63) / 64, 1, most_words));
  for (const auto& id : ids) {
    for_each_place(id, words.size() * 64, [&](std::size_t bit) { words[bit / 64] |= std::uint64_t{1} << (bit % 64); });
  }
  return words;
}

inline bool may_hold(const std::vector<std::uint64_t>& words, const TraceId& id) {
  if (words.empty()) return false;
  bool all = true;
  for_each_place(id, words.size() * 64,
                 [&](std::size_t bit) { all = all && (words[bit / 64] >> (bit % 64) & 1) != 0; });
  return all;
}

}  // namespace securebase::traces
