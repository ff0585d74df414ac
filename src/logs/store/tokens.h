// Which words a block's events hold, in less than a byte each: a query that looks for a text skips blocks that cannot
// have it. A word is a UUID, wherever it stands, or a run of letters, digits, '_' and bytes beyond ASCII between UUIDs
// and other bytes, of two bytes at least.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/uuid.h"

namespace securebase::logs {

// Calls `visit` with the hash of each word of a text, and the word.
template <class Visit>
void for_each_word(std::string_view text, Visit visit);
// Of those words that stand whole in every text that has `part` in it: UUIDs, and what is not at its edges.
std::vector<std::uint64_t> whole_words(std::string_view part);
// Of a field that has exactly this text. A UUID is the word that it is in the message, whatever the field.
inline constexpr std::size_t kHashedTextBytes = 256;  // a field's text that is longer is in no filter
std::uint64_t hash_of_field(std::string_view name, std::string_view text);
// The same for many texts of one field.
class FieldHash {
 public:
  explicit FieldHash(std::string_view name);
  std::uint64_t operator()(std::string_view text) const;

 private:
  std::uint64_t name_;
};

// The distinct hashes of a block, while it is built.
class TokenSet {
 public:
  TokenSet();
  // Is it new?
  bool add(std::uint64_t hash);
  void clear();
  // A Bloom filter. Empty: no hashes.
  std::string filter() const;

 private:
  void grow();
  std::vector<std::uint64_t> slots_;  // open addressing; 0 is free
  std::size_t count_ = 0;
};

// May the filter's block have it? Any bytes: an empty filter has nothing.
bool may_have(std::string_view filter, std::uint64_t hash);

// --- inline, since it runs over every byte that is stored ---------------------------------------------------------

struct WordBytes {
  bool is_word[256] = {};
  constexpr WordBytes() {
    for (int c = 0; c < 256; ++c) {
      is_word[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    }
  }
};
inline constexpr WordBytes kWordBytes;

inline std::uint64_t mix(std::uint64_t hash) {
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

// Never 0, which stands for a free slot. Stored in filters: what it gives for a word does not change.
inline std::uint64_t hash_of_word(std::string_view word) {
  std::uint64_t hash = word.size() + 1;
  const auto load = [](const char* at, auto piece) {
    std::memcpy(&piece, at, sizeof piece);
    return static_cast<std::uint64_t>(piece);
  };
  while (word.size() > 8) {
    hash = mix(hash ^ load(word.data(), std::uint64_t{}));
    word.remove_prefix(8);
  }
  // The rest by two pieces, which may overlap.
  std::uint64_t rest = 0;
  if (word.size() >= 4) {
    rest = load(word.data(), std::uint32_t{}) | load(word.data() + word.size() - 4, std::uint32_t{}) << 32;
  } else if (word.size() >= 2) {
    rest = load(word.data(), std::uint16_t{}) | load(word.data() + word.size() - 2, std::uint16_t{}) << 16;
  } else if (!word.empty()) {
    rest = static_cast<unsigned char>(word.front());
  }
  hash = mix(mix(hash ^ rest));
  return hash == 0 ? 1 : hash;
}

template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
  std::size_t begin = 0;  // of the word
  const auto end_word = [&](std::size_t end) {
    if (end <= begin + 1) return;
    const auto word = text.substr(begin, end - begin);
    visit(hash_of_word(word), word);
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (kWordBytes.is_word[static_cast<unsigned char>(text[at])]) continue;
    if (text[at] == '-' && is_dash_of_uuid(text, at)) {
      const auto uuid = at - kUuidFirstDash;
      end_word(uuid);
      visit(hash_of_word(text.substr(uuid, kUuidText)), text.substr(uuid, kUuidText));
      begin = uuid + kUuidText;
      at = begin - 1;
      continue;
    }
    end_word(at);
    begin = at + 1;
  }
  end_word(text.size());
}

}  // namespace securebase::logs
