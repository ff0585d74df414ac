// Where a key lies in a table: eight bytes a step, each folded by a 128-bit multiplication with a secret (the scheme of
// wyhash). Seeded at random by its users, so that clients cannot choose keys that meet.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace securebase::store {

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t key_hash(std::string_view key, std::uint64_t seed) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  std::uint64_t state = seed ^ fold(key.size() + kOdd, seed | 1);
  const char* at = key.data();
  std::size_t left = key.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state = fold(state ^ word ^ seed, kOdd ^ state);
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  return fold(fold(state ^ word ^ seed, kOdd ^ left), state | 1);
}

}  // namespace securebase::store
