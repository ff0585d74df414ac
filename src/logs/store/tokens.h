// Which words a block's events hold, in about a byte each: a query that looks for a text skips blocks that cannot have
// it. A word is a run of letters, digits, '_' and bytes beyond ASCII, of two bytes at least.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::logs {

// Calls `visit` with the hash of each word of a text.
template <class Visit>
void for_each_word(std::string_view text, Visit visit);
// Of those words that stand whole in every text that has `part` in it: not those at its edges.
std::vector<std::uint64_t> whole_words(std::string_view part);
// Of a field that has exactly this text.
std::uint64_t hash_of_field(std::string_view name, std::string_view text);

// The distinct hashes of a block, while it is built.
class TokenSet {
 public:
  TokenSet();
  void add(std::uint64_t hash);
  void clear();
  // A Bloom filter of about 8 bits a hash: one in 40 that are not there seems to be. Empty: no hashes.
  std::string filter() const;

 private:
  void grow();
  std::vector<std::uint64_t> slots_;  // open addressing; 0 is free
  std::size_t count_ = 0;
};

// May the filter's block have it? Any bytes: an empty filter has nothing.
bool may_have(std::string_view filter, std::uint64_t hash);

// --- inline, since it runs over every byte that is stored ---------------------------------------------------------

inline constexpr std::uint64_t kWordSeed = 0xcbf29ce484222325;

struct WordBytes {
  bool is_word[256] = {};
  constexpr WordBytes() {
    for (int c = 0; c < 256; ++c) {
      is_word[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    }
  }
};
inline constexpr WordBytes kWordBytes;

// FNV-1a's step, and a mix of what it gives: 0 stands for a free slot.
inline std::uint64_t hash_step(std::uint64_t hash, char c) {
  return (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
}
inline std::uint64_t hash_end(std::uint64_t hash) {
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}

template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
  std::uint64_t hash = kWordSeed;
  std::size_t length = 0;
  for (const char c : text) {
    if (kWordBytes.is_word[static_cast<unsigned char>(c)]) {
      hash = hash_step(hash, c);
      ++length;
      continue;
    }
    if (length > 1) visit(hash_end(hash));
    hash = kWordSeed;
    length = 0;
  }
  if (length > 1) visit(hash_end(hash));
}

}  // namespace securebase::logs
